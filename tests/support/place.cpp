#include "support/place.hpp"

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <libpq-fe.h>

namespace kdb::test {

namespace fs = std::filesystem;

Place::Place() : environment{{"TMPDIR", folder.path().string()}} {
  fs::permissions(folder.path(), fs::perms(0755));  // the server may run as somebody else
}

std::vector<fs::path> Place::sandboxes() const {
  std::vector<fs::path> result;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    if (entry.path().filename().string().starts_with("kdb-sandbox-")) result.push_back(entry.path());
  return result;
}

std::vector<pid_t> Place::processes() const {
  std::vector<pid_t> result;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (pid > 0 && contains(process_file(pid, "cmdline"), folder.path().string())) result.push_back(pid);
  }
  return result;
}

namespace {

// The server's parent is no way to find it: COMMAND may have started the server anew.
pid_t supervisor_of(pid_t kdb) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (pid > 0 && process_file(pid, "comm") == "kdb-sandbox\n" && parent_of(pid) == kdb) return pid;
  }
  throw std::runtime_error("no supervisor");
}

}  // namespace

Standing::Standing(const std::string& prepare, const std::string& stay)
    : kdb({KDB_BINARY, "sandbox", "--", "sh", "-c", prepare + "; echo up $$ $KDB_SANDBOX_FOLDER; " + stay},
          place.environment) {
  kdb.read_until(place.folder.path().string());
  kdb.read_until("\n");
  const std::string& line = kdb.out();
  command = static_cast<pid_t>(std::atoi(line.substr(3).c_str()));
  folder = line.substr(line.find('/'), line.find('\n') - line.find('/'));
  server = server_of(folder);
  supervisor = supervisor_of(kdb.pid());
}

bool Standing::nothing_left() const {
  return place.is_clean() && !is_alive(server) && !is_alive(supervisor) && !is_alive(command);
}

pid_t server_of(const fs::path& sandbox) {
  return static_cast<pid_t>(std::atoi(read_file(sandbox / "data/postmaster.pid").c_str()));
}

pid_t parent_of(pid_t pid) {
  const std::string stat = process_file(pid, "stat");
  const std::size_t state = stat.rfind(") ");
  return state == std::string::npos ? 0 : static_cast<pid_t>(std::atoi(stat.c_str() + state + 4));
}

std::string ask(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) return PQerrorMessage(connection.get());
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), PQclear);
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return PQerrorMessage(connection.get());
  return PQgetvalue(result.get(), 0, 0);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace kdb::test
