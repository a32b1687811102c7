// COMMAND at a terminal: it has the keyboard, and kdb behaves as a shell's job does.
#include <string>

#include <doctest/doctest.h>

#include "support/place.hpp"
#include "support/process.hpp"
#include "support/typist.hpp"

namespace kdb::test::sandbox_terminal_test {

namespace {

// What is typed is echoed: the scripts print words that they do not contain.
const std::string in_sandbox = std::string(KDB_BINARY) + " sandbox -- sh -c ";

}  // namespace

TEST_CASE("COMMAND reads what is typed, and the shell has the terminal again afterwards") {
  const Place place;
  Typist shell(place.environment);
  shell.type(in_sandbox + "'echo up$((1+1)); read x; echo got-$x; exit 3'; echo exit=$?\n");
  shell.expect("up2");
  shell.type("hello\n");
  shell.expect("got-hello");
  shell.expect("exit=3");
  shell.type("echo again$((1+1))\n");
  shell.expect("again2");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-C is COMMAND's to handle, and kdb does not hear of it") {
  const Place place;
  Typist shell(place.environment);
  shell.type(in_sandbox +
             R"x('trap "echo caught\$((1+1)); exit 6" INT; echo up$((1+1)); while :; do sleep 0.1; done')x" +
             "; echo exit=$?\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("caught2");
  shell.expect("exit=6");
  CHECK(place.is_clean());
}

TEST_CASE("a COMMAND that Ctrl-C ends leaves nothing") {
  const Place place;
  Typist shell(place.environment);
  shell.type(in_sandbox + "'echo up$((1+1)); exec sleep 1000'; echo exit=$?\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("exit=130");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-Z stops the job, fg continues it") {
  const Place place;
  Typist shell(place.environment);
  shell.type(in_sandbox + "'echo up$((1+1)); read x; echo got-$x; exit 4'\n");
  shell.expect("up2");
  shell.type("\x1a");
  shell.expect("Stopped");
  shell.type("fg >/dev/null; echo exit=$?\n");
  shell.expect("exit=$?");
  shell.type("hello\n");
  shell.expect("got-hello");
  shell.expect("exit=4");
  CHECK(place.is_clean());
}

TEST_CASE("a COMMAND in a pipeline may still read the terminal") {
  const Place place;
  Typist shell(place.environment);
  shell.type(in_sandbox + "'echo up$((1+1)); read x; echo got-$x' | cat; echo exit=${PIPESTATUS[0]}\n");
  shell.expect("up2");
  shell.type("hello\n");
  shell.expect("got-hello");
  shell.expect("exit=0");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-C ends a COMMAND in a pipeline too") {
  const Place place;
  Typist shell(place.environment);
  shell.type(
      in_sandbox +
      "'echo up$((1+1)); exec sleep 1000' | sh -c 'trap \"\" INT; exec cat'; echo exit=${PIPESTATUS[0]}\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("exit=130");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-C in a pipeline leaves COMMAND its server, to end well") {
  const Place place;
  Typist shell(place.environment);
  shell.type(
      in_sandbox +
      R"x('trap "psql -Atc \"SELECT 40+2\"; exit 8" INT; echo up$((1+1)); while :; do sleep 0.1; done')x" +
      " | sh -c 'trap \"\" INT; exec cat'; echo exit=${PIPESTATUS[0]}\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("42");
  shell.expect("exit=130");
  CHECK(place.is_clean());
}

}  // namespace kdb::test::sandbox_terminal_test
