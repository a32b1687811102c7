// kdb is killed while it applies a server's settings.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>

#include "db/tuned_server.hpp"
#include "support/cases.hpp"
#include "support/fault_proxy.hpp"

namespace kdb::test::tune_crash_test {

TEST_CASE("kdb may be killed at any message: diff tells the truth then, and the next apply ends as ever") {
  TunedServer it("work_mem = \"7MB\"\nmax_connections = 60\n");
  const std::string before = it.files();
  const auto begin_again = [&] {
    std::filesystem::remove(it.data("kdb-tune.conf"));
    std::ofstream(it.data("postgresql.conf")) << before.substr(0, before.find("\n---\n"));
    Session(it.server().url()).exec("SELECT pg_reload_conf()");
    REQUIRE(eventually([&] { return it.show("work_mem") == "4MB"; }));
  };
  const std::vector<std::string> words = {"tune", "apply", "--method", "conf.d"};
  const std::string url = it.server().url() + "&port=" + it.show("port");
  FaultProxy counting(url);
  const Run whole = run(it.command(words, counting.url()));
  REQUIRE_MESSAGE(whole.exit == 0, whole.err);
  // At the reload, and now and then elsewhere.
  std::vector<FaultProxy::Rule> rules = {{.contains = "SELECT pg_catalog.pg_reload_conf()"}};
  const size_t stride = harm_every() == 1 ? 1 : 5 * harm_every();
  for (size_t at = seed() % stride; at < counting.queries().size(); at += stride)
    rules.push_back({.number = static_cast<int>(at) + 1});
  const std::string after = it.files();
  int unread = 0;
  for (FaultProxy::Rule& rule : rules)
    for (const auto when : {FaultProxy::When::before_forward, FaultProxy::When::reply_held}) {
      CAPTURE(rule.number);
      begin_again();
      FaultProxy proxy(url);
      std::promise<pid_t> started;
      const std::shared_future<pid_t> pid = started.get_future().share();
      rule.when = when;
      rule.fault =
          when == FaultProxy::When::before_forward ? FaultProxy::Fault::cut : FaultProxy::Fault::none;
      rule.callback = [&](const FaultProxy::Query&) { ::kill(pid.get(), SIGKILL); };
      proxy.add(rule);
      Child kdb(it.command(words, proxy.url()));
      started.set_value(kdb.pid());
      kdb.wait();
      const bool written = std::filesystem::exists(it.data("kdb-tune.conf"));
      const bool is_read = it.show("work_mem") == "7MB";
      unread += written && !is_read ? 1 : 0;
      const Run diff = it.diff();
      CHECK(diff.exit == (is_read ? 0 : 2));
      if (written && !is_read) CHECK(has(diff.out, "in the files, waiting"));
      const Run again = it.apply("conf.d");
      CHECK_MESSAGE(again.exit == 0, again.err);
      CHECK(it.files() == after);
      CHECK(it.show("work_mem") == "7MB");
      CHECK(it.diff().exit == 0);
    }
  CHECK(unread > 0);
}

}  // namespace kdb::test::tune_crash_test
