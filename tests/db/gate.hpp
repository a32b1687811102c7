#pragma once

#include <string>

#include "db/project.hpp"

namespace kdb::test {

/// A place in a migration where it waits until the test lets it go on: `SELECT public.wait_at_gate();`. Where
/// an index's expression is what waits: `public.gated(n)`, which is n.
class Gate {
 public:
  explicit Gate(std::string url) : url_(std::move(url)) {
    Session(url_).exec(R"(
      CREATE TABLE public.gate (shut boolean);
      INSERT INTO public.gate VALUES (true);
      CREATE FUNCTION public.wait_at_gate() RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        WHILE (SELECT shut FROM public.gate) LOOP PERFORM pg_catalog.pg_sleep(0.02); END LOOP;
      END $$;
      CREATE FUNCTION public.gated(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
      BEGIN PERFORM public.wait_at_gate(); RETURN n; END $$)");
  }

  /// Waits until a session has come to it.
  bool is_reached() const {
    Session session(url_);
    return eventually([&] {
      return session.text(
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                 "wait_event = 'PgSleep'") != "0";
    });
  }
  void open() const { Session(url_).exec("UPDATE public.gate SET shut = false"); }

 private:
  std::string url_;
};

/// Waits until no session of others' is left in the database: nothing that kdb began goes on without it.
inline bool is_left_alone(const std::string& url) {
  Session session(url);
  return eventually(
      [&] {
        return session.text(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "backend_type = 'client backend' AND pid <> pg_backend_pid()") == "0";
      },
      std::chrono::seconds(5));
}

}  // namespace kdb::test
