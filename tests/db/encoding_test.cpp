// A migration that sets client_encoding, as pg_dump's output of old databases does.
#include <string>

#include "db/gate.hpp"
#include "support/text.hpp"

namespace kdb::test::encoding_test {

TEST_CASE("the history keeps a file's text as it is, whatever encoding the file sets") {
  for (const char* option : {"", " transaction:false"}) {
    CAPTURE(option);
    Project project;
    const std::string head = std::string("-- migrate:up") + option + "\n";
    const std::string body = "-- café\nSET client_encoding TO 'LATIN1';\nCREATE TABLE a (n int);\n";
    project.file("1_a.sql", head + body);
    project.file("2_b.sql", head + "-- café\nCREATE TABLE b (n int);\n");
    const Database database;
    const Run first = project.up(database.url());
    CHECK_MESSAGE(first.exit == 0, first.err);
    CHECK_FALSE(has(first.err, "server:"));
    CHECK(database.text("SELECT count(*) FROM kdb.migrations WHERE up_text LIKE '%-- café%'") == "2");
    project.file("1_a.sql", head + body + "-- a comment\n");
    const Run second = project.up(database.url());
    CHECK_MESSAGE(second.exit == 0, second.err);
  }
}

TEST_CASE("a failure under another encoding is recorded and told in UTF-8") {
  for (const char* option : {"", " transaction:false"}) {
    CAPTURE(option);
    Project project;
    project.file("1_a.sql", std::string("-- migrate:up") + option +
                                "\nSET client_encoding TO 'LATIN1';\n"
                                "DO $$ BEGIN RAISE EXCEPTION 'caf%', pg_catalog.chr(233); END $$;\n");
    const Database database;
    const Run result = project.up(database.url());
    CHECK(result.exit == 1);
    CHECK_MESSAGE(has(result.err, "caf\\xe9"), result.err);
    CHECK(database.text("SELECT count(*) FROM kdb.events WHERE kind = 'failed'") == "1");
    CHECK(database.text("SELECT outcome FROM kdb.runs") == "failed");
  }
}

}  // namespace kdb::test::encoding_test
