#include "pg/conninfo.hpp"

#include <string>

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include "base/error.hpp"
#include "pg/open.hpp"

namespace kdb::conninfo_test {

using namespace kdb::pg;

TEST_CASE("a password is never shown, and nothing else is lost") {
  struct Row {
    std::string url;
    std::string shown;
  };
  const Row rows[] = {
      {"", ""},
      {"shop", "shop"},
      {"postgresql://localhost/shop", "postgresql://localhost/shop"},
      {"postgresql://me@localhost:5433/shop", "postgresql://me@localhost:5433/shop"},
      {"postgresql://me:secret@localhost:5433/shop", "postgresql://me:***@localhost:5433/shop"},
      {"postgres://me:secret@/shop?host=/run/pg", "postgres://me:***@/shop?host=/run/pg"},
      {"postgres://me:s%40cr%2Ft@h/shop", "postgres://me:***@h/shop"},
      {"postgres://me:sec:ret?x@h/shop?sslmode=require", "postgres://me:***@h/shop?sslmode=require"},
      {"postgres://:secret@h/shop", "postgres://:***@h/shop"},
      {"postgres://me:secret@a:1,b:2/shop", "postgres://me:***@a:1,b:2/shop"},
      {"postgres://[::1]:5432/shop", "postgres://[::1]:5432/shop"},
      {"postgres://me:secret@[::1]:5432/shop", "postgres://me:***@[::1]:5432/shop"},
      {"postgres://h/shop?user=me&password=secret&application_name=x",
       "postgres://h/shop?user=me&password=***&application_name=x"},
      {"postgres://h/shop?p%61ssword=secret", "postgres://h/shop?p%61ssword=***"},
      {"postgres://h?password=secret", "postgres://h?password=***"},
      {"postgres://h/shop?sslpassword=secret", "postgres://h/shop?sslpassword=***"},
      {"postgres://h/shop?user=me@example", "postgres://h/shop?user=me@example"},
      {"host=h password=secret dbname=shop", "password=*** dbname=shop host=h"},
      {"host=h password='sec ret' dbname='my shop'", "password=*** dbname='my shop' host=h"},
      {"host = h password = s\\'ecret sslpassword=secret", "password=*** host=h sslpassword=***"},
      {"dbname=postgres://me:secret@h/shop", "dbname=***"},
      // What libpq cannot read, or would cut in the wrong place.
      {"postgres://me:sec/ret@h/shop", "postgres://***"},
      {"postgres://me:sec@ret@h/shop", "postgres://***"},
      {"postgres://me:sec%ret@h/shop", "postgres://***"},
      {"postgres://me:a/b?secret@h/shop", "postgres://***"},
      {"postgres://me:secret@h:1:2/shop?nope=1", "postgres://***"},
      {"POSTGRES://me:secret@h/shop", "***"},
      {"mysql://me:secret@h/shop", "***"},
      {"jdbc:postgresql://h/shop?password=secret", "***"},
      {"me:secret@h/shop", "***"},
      {"host=h password 'secret", "***"},
      {"password=secret nope", "***"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    const std::string shown = redact(row.url);
    for (const char* part : {"secret", "sec", "ret@", "s%40", "ecret"}) {
      CAPTURE(part);
      CHECK(shown.find(part) == std::string::npos);
    }
    CHECK(shown == row.shown);
  }
}

TEST_CASE("a malformed URL is refused without a part of it") {
  const char* const urls[] = {"postgres://me:sec/ret@h/shop",      "postgres://me:sec@ret@h/shop",
                              "postgres://me:sec%ret@h/shop",      "postgres://me:a/b?secret@h/shop",
                              "mysql://me:secret@h/shop",          "host=h password 'secret",
                              "dbname=postgres://me:secret@h/shop"};
  for (const std::string url : urls) {
    CAPTURE(url);
    ConnectSettings settings;
    settings.url = url;
    try {
      make_conninfo(settings);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.exit() == Exit::usage);
      const std::string text = error.problems().front().message + error.problems().front().hint;
      CHECK(text.find("sec") == std::string::npos);
      CHECK(text.find("malformed database URL") == 0);
      CHECK(text.find("postgresql://user:password@host:port/database") != std::string::npos);
    }
  }
}

TEST_CASE("a parameter that libpq does not know is named, unless it may be a part of a password") {
  struct Row {
    std::string url;
    bool named;
  };
  const Row rows[] = {{"postgresql://localhost/shop?foo=bar", true},
                      {"postgresql://me:pass@localhost/shop?sslmode=require&foo=bar", true},
                      {"postgresql://localhost:5432?foo=bar", true},
                      {"postgresql:///shop?foo=bar", true},
                      {"postgresql://me:pass/x?foo=bar@localhost/shop", false},
                      {"postgresql://me:pass?foo=bar", false}};
  for (const Row& row : rows) {
    CAPTURE(row.url);
    ConnectSettings settings;
    settings.url = row.url;
    try {
      make_conninfo(settings);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.exit() == Exit::usage);
      const std::string text = error.what();
      CHECK((text.find(": no parameter \"foo\"") != std::string::npos) == row.named);
      CHECK((text.find("foo") != std::string::npos) == row.named);
      CHECK(text.find("pass") == std::string::npos);
    }
  }
}

TEST_CASE("our connection defaults give way to the user's") {
  ConnectSettings settings;
  settings.url = "postgresql://me@a,b/shop?connect_timeout=8&keepalives_idle=3&application_name=mine";
  const Conninfo conninfo = make_conninfo(settings);
  CHECK(conninfo.deadline == std::chrono::seconds(8));
  CHECK(conninfo.value("keepalives_idle") == "3");
  CHECK(conninfo.value("keepalives_interval") == "10");
  CHECK(conninfo.value("keepalives_count") == "3");
  CHECK(conninfo.value("tcp_user_timeout") == "3900");
  CHECK(conninfo.own_tcp_user_timeout);
  CHECK(conninfo.value("application_name") == "mine");
  CHECK(conninfo.value("fallback_application_name") == "kdb");  // libpq takes it only without the other
  CHECK(conninfo.value("client_encoding") == "UTF8");
  CHECK(conninfo.value("options").empty());
}

TEST_CASE("connect_timeout counts as libpq counts it") {
  struct Row {
    const char* text;
    int milliseconds;
  };
  for (const Row& row :
       {Row{"0", 0}, Row{"-1", 0}, Row{"1", 2'000}, Row{"2", 2'000}, Row{"30", 30'000}, Row{"x", 10'000}}) {
    CAPTURE(row.text);
    ConnectSettings settings;
    settings.url = std::string("postgresql://h/shop?connect_timeout=") + row.text;
    CHECK(make_conninfo(settings).deadline.count() == row.milliseconds);
  }
}

TEST_CASE("targets are named without their secrets") {
  struct Row {
    const char* url;
    const char* target;
  };
  for (const Row& row :
       {Row{"postgresql://me:secret@db:6432/shop", "db:6432"}, Row{"postgresql://db/shop", "db:5432"},
        Row{"postgresql:///shop?host=/run/pg", "/run/pg"}, Row{"postgresql://[::1]:7/shop", "[::1]:7"},
        Row{"postgresql://a:1,b:2/shop", "a:1,b:2"}, Row{"host=a,b port=7 password=secret", "a:7,b:7"},
        Row{"hostaddr=127.0.0.1", "127.0.0.1:5432"}}) {
    CAPTURE(row.url);
    ConnectSettings settings;
    settings.url = row.url;
    CHECK(describe_target(settings) == row.target);
  }
}

TEST_CASE("the error of a failed connect is found in libpq's text") {
  struct Row {
    const char* text;
    const char* sqlstate;
    const char* message;
  };
  const Row rows[] = {
      {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  3D000: database \"x\" does not "
       "exist\n"
       "LOCATION:  InitPostgres, postinit.c:932\n",
       "3D000", "database \"x\" does not exist"},
      {"connection to server on socket \"/run/.s.PGSQL.5432\" failed: FATAL:  57P03: the database system is "
       "starting up\n",
       "57P03", "the database system is starting up"},
      {"connection to server at \"::1\", port 1 failed: FATAL:  28000: no pg_hba.conf entry, SSL encryption\n"
       "LOCATION:  ClientAuthentication, auth.c:488\n"
       "connection to server at \"::1\", port 1 failed: FATAL:  28000: no pg_hba.conf entry, no encryption\n",
       "28000", "no pg_hba.conf entry, no encryption"},
      {"FATAL:  08P01: server login failed: client_login_timeout (server down)\n", "08P01",
       "server login failed: client_login_timeout (server down)"},
      {"connection to server at \"h\", port 1 failed: FATALE :  53300: trop de connexions\n", "53300",
       "trop de connexions"},
      {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
       "\tIs the server running on that host and accepting TCP/IP connections?\n",
       "", "Connection refused"},
      {"connection to server at \"a\", port 1 failed: Connection refused\n\tIs the server running?\n"
       "connection to server at \"b\", port 1 failed: No route to host\n",
       "",
       "connection to server at \"a\", port 1 failed: Connection refused; connection to server at \"b\", "
       "port 1 "
       "failed: No route to host"},
      {"could not translate host name \"h\" to address: Name or service not known\n", "",
       "could not translate host name \"h\" to address: Name or service not known"},
      {"", "", "the server closed the connection without a word"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const ServerError error = parse_connect_error(row.text);
    CHECK(error.sqlstate == row.sqlstate);
    CHECK(error.message == row.message);
    CHECK(error.phase == Phase::connecting);
  }
}

TEST_CASE("detail and hint of a failed connect belong to its last error") {
  const ServerError error = parse_connect_error(
      "connection to server at \"a\", port 1 failed: FATAL:  57P03: starting up\nDETAIL:  old\n"
      "connection to server at \"b\", port 1 failed: FATAL:  28000: no\nDETAIL:  d\nHINT:  h\nLOCATION:  f, "
      "g.c:1\n"
      "DETAIL:  stray\n");
  CHECK(error.sqlstate == "28000");
  CHECK(error.detail == "d");
  CHECK(error.hint == "h");
}

}  // namespace kdb::conninfo_test
