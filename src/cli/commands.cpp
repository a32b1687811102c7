#include "cli/commands.hpp"

#include "cli/command.hpp"
#include "render/formats.hpp"

namespace kdb::cli {

const std::vector<Option>& global_options() {
  static const std::vector<Option> rows = {
      {.flags = "-d,--database-url",
       .value = "URL",
       .help = "database [KDB_DATABASE_URL, DATABASE_URL, PG…]"},
      {.flags = "-p,--profile", .value = "NAME|PATH", .help = "profiles/NAME.toml, or a path [default]"},
      {.flags = "--migrations", .value = "DIR", .help = "folder [the profile's, or migrations]"},
      {.flags = "--format", .value = "FORMAT", .help = "stdout", .choices = render::format_names()},
      {.flags = "-o,--output",
       .value = "[FORMAT:]FILE",
       .help = "write the result to a file too; repeatable",
       .repeatable = true},
      {.flags = "-q,--quiet", .help = "no progress, and beside -o no result on stdout"},
      {.flags = "--log-level",
       .value = "LEVEL",
       .help = "of stderr [info]",
       .choices = {"debug", "info", "warning", "error"}},
      {.flags = "--log-format",
       .value = "FORMAT",
       .help = "of the lines on stderr [text]",
       .choices = {"text", "json"}},
      {.flags = "--no-color", .help = "no colour, as with NO_COLOR in the environment"},
      {.flags = "-h,--help", .help = "show this help"},
      {.flags = "--version", .help = "show the version"},
  };
  return rows;
}

namespace {

render::Contents of_dry_run(const Arguments& arguments) { return {.scripts = arguments.has("dry-run")}; }
render::Contents of_plan(const Arguments&) { return {.changes = true}; }
render::Contents of_queries(const Arguments&) { return {.queries = true}; }
render::Contents of_comparison(const Arguments&) { return {.plots = true}; }
render::Contents of_settings(const Arguments& arguments) { return {.settings = !arguments.has("compare")}; }
render::Contents of_review(const Arguments& arguments) { return {.findings = !arguments.has("explain")}; }

const Option allow{.flags = "--allow",
                   .value = "HAZARD[:OBJECT]",
                   .help = "permit a hazard that the profile refuses; `all` for all but the destructive ones",
                   .repeatable = true};
const Option dry_run{.flags = "--dry-run",
                     .help = "print exactly the statements that would run, and change nothing"};
const Option lock_wait{
    .flags = "--lock-wait", .value = "TIME", .help = "wait this long for another deployer [10min]"};
const Option lock_timeout{
    .flags = "--lock-timeout", .value = "TIME", .help = "a transaction's budget for table locks [3s]"};
const Option pooler{.flags = "--pooler",
                    .value = "MODE",
                    .help = "a pooler in between is in this mode",
                    .choices = {"session"}};
const Option only{.flags = "--only",
                  .value = "PART",
                  .help = "what it is of; repeatable [migrations, profile]",
                  .repeatable = true,
                  .choices = {"migrations", "profile", "settings"}};
const Option prune{.flags = "--prune",
                   .help = "drop undeclared indexes of tables whose indexes are exclusive"};
const Option pg_bin{.flags = "--pg-bin", .value = "DIR", .help = "folder of initdb and postgres [search]"};
const Option trust{.flags = "--trust", .help = "replay as superuser: migrations may do anything"};
const Option role{.flags = "--role", .value = "ROLE", .help = "run migrations under SET ROLE"};

/// What `kdb tune` is told of the machine.
std::vector<Option> of_machine(std::vector<Option> others) {
  std::vector<Option> options = {
      {.flags = "--memory", .value = "SIZE", .help = "that the server may use, such as 8GB"},
      {.flags = "--cpus", .value = "N", .help = "that it may use, such as 4 or 0.5"},
      {.flags = "--disk",
       .value = "KIND",
       .help = "where the data is",
       .choices = {"hdd", "ssd", "nvme", "san"}},
      {.flags = "--connections", .value = "N", .help = "max_connections that are wanted"},
      {.flags = "--workload",
       .value = "KIND",
       .help = "what the server does [mixed]",
       .choices = {"oltp", "web", "olap", "mixed", "timeseries"}},
      {.flags = "--pg",
       .value = "MAJOR",
       .help = "for this PostgreSQL [the server's, or 18]",
       .choices = {"14", "15", "16", "17", "18"}},
      {.flags = "--timescaledb", .help = "the server has TimescaleDB"}};
  options.insert(options.end(), others.begin(), others.end());
  return options;
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<Command>& commands() {
  static const std::vector<Command> rows = {
      {.name = "migrate new",
       .summary = "create an empty migration",
       .details =
           "Writes a file in the folder's own layout, with a version above every other, and prints its path.",
       .positionals = {{.name = "NAME", .help = "what the migration does, e.g. add_orders"}},
       .run = migrate_new,
       .offline = true},
      {.name = "migrate status",
       .summary = "show what is applied and what is pending",
       .details = "Reads the history in two round trips; changes nothing.",
       .options = {{.flags = "--exit-code",
                    .help = "exit 2 if migrations are pending, 5 if the history is inconsistent"}},
       .run = migrate_status},
      {.name = "migrate up",
       .summary = "apply pending migrations, each exactly once",
       .details =
           "One transaction per file, its history row inside. A file that cannot run in a transaction runs "
           "statement by statement with a journal, and a later run goes on where this one ended.",
       .options = {{.flags = "--to", .value = "VERSION", .help = "stop after this version"},
                   {.flags = "--steps", .value = "N", .help = "apply at most N migrations"},
                   dry_run,
                   {.flags = "--allow-out-of-order",
                    .help = "apply migrations older than the newest applied one too"},
                   {.flags = "--strict", .help = "an older release than the database is an error"},
                   allow,
                   lock_timeout,
                   lock_wait,
                   pooler,
                   role},
       .run = migrate_up,
       .contents = of_dry_run},
      {.name = "migrate down",
       .summary = "undo the newest migration, or several",
       .details = "Runs the down sections, newest first, after showing them. Where a file is gone, the down "
                  "section "
                  "that was stored with it is used.",
       .options = {{.flags = "--to",
                    .value = "VERSION",
                    .help = "undo everything newer than this; 0 for all"},
                   {.flags = "--steps", .value = "N", .help = "undo N migrations [1]"},
                   dry_run,
                   {.flags = "-y,--yes", .help = "do not ask; needed where there is no terminal"},
                   lock_timeout,
                   lock_wait,
                   pooler,
                   role},
       .run = migrate_down,
       .contents = of_dry_run},
      {.name = "migrate verify",
       .summary = "check the files against what was applied",
       .details = "Compares the contents of every file, shows what was changed, and parses what is pending. "
                  "White space and comments do not count as a change.",
       .run = migrate_verify},
      {.name = "migrate baseline",
       .summary = "declare what a database had before kdb",
       .details = "Migrations up to VERSION count as applied and never run.",
       .positionals = {{.name = "VERSION", .help = "a version of the folder"}},
       .options = {lock_wait, pooler},
       .run = migrate_baseline},
      {.name = "migrate repair",
       .summary = "settle what only a person can know",
       .details = "Exactly one of --statement (with --done or --again), --accept and --forget.",
       .positionals = {{.name = "VERSION", .help = "the migration"}},
       .options = {{.flags = "--statement",
                    .value = "N",
                    .help = "the statement whose end was never recorded"},
                   {.flags = "--done", .help = "it took effect: go on after it"},
                   {.flags = "--again", .help = "it did not: run it again"},
                   {.flags = "--accept", .help = "the file as it is now is what was applied"},
                   {.flags = "--forget", .help = "take a migration without a file out of the history"},
                   lock_wait,
                   pooler},
       .run = migrate_repair},
      {.name = "migrate adopt",
       .summary = "take over from another tool without running anything",
       .details = "Reads the other tool's history table and writes kdb's; the other table is left as it is. "
                  "Refuses a dirty golang-migrate state, and verifies Flyway's checksums.",
       .options = {{.flags = "--from",
                    .value = "TOOL",
                    .help = "whose history to read",
                    .choices = {"dbmate", "goose", "golang-migrate", "flyway"}},
                   {.flags = "--table",
                    .value = "[SCHEMA.]TABLE",
                    .help = "its table, if it is not the tool's default"},
                   lock_wait,
                   pooler},
       .run = migrate_adopt},
      {.name = "migrate dump",
       .summary = "write the schema as SQL, stable from run to run",
       .details = "pg_dump's schema without its random parts, the history left out, hypertables included.",
       .run = migrate_dump,
       .result = Result::sql},
      {.name = "plan",
       .summary = "show what differs from the declared state",
       .details = "Pending migrations and the profile's objects against the database: what would run, which "
                  "locks it "
                  "takes, what it may destroy. Changes nothing. With --sandbox it needs no database: it "
                  "replays the migrations on a throwaway server, as a role that can reach neither files nor "
                  "programs, and plans the profile against that. With --sandbox and -d it rehearses the plan "
                  "on a copy "
                  "of the database's schema, and says which locks were taken.",
       .options = {only,
                   prune,
                   {.flags = "--sandbox", .help = "plan against a throwaway server, not a database"},
                   trust,
                   pg_bin,
                   {.flags = "--exit-code", .help = "exit 2 if anything is pending, drifted or undecided"}},
       .run = plan,
       .contents = of_plan},
      {.name = "apply",
       .summary = "bring the database to the declared state",
       .details =
           "Runs what `kdb plan` shows, online where the server can, and plans again: what is left "
           "then is an "
           "error. On a terminal it asks first. With a plan file just that runs, and nothing at all where "
           "it would be something else by now.",
       .positionals = {{.name = "PLAN.json",
                        .help = "what `kdb plan -o PLAN.json` wrote",
                        .required = false}},
       .options = {only,
                   prune,
                   allow,
                   {.flags = "-y,--yes", .help = "do not ask"},
                   lock_timeout,
                   lock_wait,
                   pooler,
                   role},
       .run = apply},
      {.name = "inspect",
       .summary = "write a profile from a live database",
       .details = "Declares what is there and is not so by default: extensions, table properties, indexes, "
                  "extended statistics, hypertables, continuous aggregates. The same database gives the same "
                  "bytes; nothing is changed.",
       .options = {{.flags = "--schema",
                    .value = "SCHEMA",
                    .help = "only tables of this schema; repeatable",
                    .repeatable = true},
                   {.flags = "--table",
                    .value = "[SCHEMA.]TABLE",
                    .help = "only this table; repeatable",
                    .repeatable = true}},
       .run = inspect,
       .result = Result::text},
      {.name = "lint",
       .summary = "review migrations and the profile, without a server",
       .details =
           "Finds what locks others out, destroys data or fails on a table that has rows, and what kdb "
           "would refuse to run. A comment `-- kdb:ignore RULE: reason` before a statement keeps a rule "
           "quiet. Exit 1 if anything of the level of --fail-on or worse was found.",
       .options = {{.flags = "--explain",
                    .value = "RULE",
                    .help = "say why a rule is there and what to do instead; `all` lists the rules"},
                   {.flags = "--fail-on",
                    .value = "LEVEL",
                    .help = "the least level that is exit 1 [error]",
                    .choices = {"error", "warning", "never"}}},
       .run = lint,
       .contents = of_review,
       .offline = true},
      {.name = "explain",
       .summary = "judge the profile's queries by their plans",
       .details =
           "Asks the server how it would answer each `[queries.NAME]` of the profile: which indexes it uses, "
           "how much it reads, whether what is expected holds. Changes nothing: the queries are planned, and "
           "with --analyze run, in transactions that only read. Of queries that are named it shows the "
           "plans. "
           "Exit 1 if one cannot be planned or run.",
       .positionals = {{.name = "QUERY",
                        .help = "of the profile; none: all of them",
                        .required = false,
                        .repeatable = true}},
       .options = {{.flags = "--analyze", .help = "run them: rows, buffers, sorts, times"},
                   {.flags = "--planned",
                    .help = "also with what `kdb plan` would build: indexes, as far as the database's HypoPG "
                            "knows them, and settings; their verdicts count"},
                   {.flags = "--statistics",
                    .help =
                        "hold them against what the server has counted: declared indexes that nothing "
                        "uses, frequent statements (10 calls, and 1 % of them or of the time) that are not "
                        "declared, declared ones that never ran, slow and repetitive ones (10 calls, and a "
                        "mean above 1 s or 20 % of the time)"},
                   {.flags = "--timeout", .value = "TIME", .help = "how long each may take [30s]"},
                   {.flags = "--exit-code",
                    .help = "exit 2 if an expectation does not hold, or could not be checked"}},
       .run = explain,
       .contents = of_queries},
      {.name = "tune",
       .summary = "render postgresql.conf, with a reason for every value",
       .details = "Writes what `[server.settings]` of the profile declares, relative values (25%) resolved, "
                  "and kdb's own "
                  "value for the rest, each with its reason and what is to be said against it. It asks the "
                  "server of -d for "
                  "its version, its settings and its machine, as far as kdb can prove that this is the one "
                  "it runs on; with "
                  "--memory, --cpus and --pg it asks nobody and renders for any machine.",
       .options = of_machine(
           {{.flags = "--formula",
             .value = "TOOL",
             .help = "exactly what this tool would render, and nothing of the profile",
             .choices = {"timescaledb-tune", "pgtune"}},
            {.flags = "--compare",
             .help = "a table: the server's, kdb's, timescaledb-tune's and pgtune's values"},
            {.flags = "--exit-code", .help = "exit 2 if a declared value depends on what is unknown"}}),
       .run = tune,
       .contents = of_settings},
      {.name = "tune diff",
       .summary = "compare a server's settings with the rendered ones",
       .details = "Compares in the settings' own units, so that 64MB is 65536kB, and says of each whether a "
                  "reload or a restart "
                  "brings it, which line of which file says otherwise, and for whom ALTER ROLE and ALTER "
                  "DATABASE do. Changes "
                  "nothing.",
       .options = of_machine(
           {{.flags = "--exit-code", .help = "exit 2 if anything differs or could not be decided"}}),
       .run = tune_diff},
      {.name = "tune apply",
       .summary = "make a server as rendered, and prove it",
       .details = "Judges every value by the server itself, starts a throwaway server with all of them where "
                  "the server is on "
                  "this machine, writes them, has the server read them, and compares again in a new session; "
                  "what the server does "
                  "not take is taken back. What needs a restart waits for it. On a terminal it asks first.",
       .options = of_machine(
           {{.flags = "--method",
             .value = "HOW",
             .help = "conf.d writes a file that postgresql.conf includes, alter-system "
                     "postgresql.auto.conf, none only tries",
             .choices = {"conf.d", "alter-system", "none"}},
            {.flags = "--restart-command",
             .value = "COMMAND",
             .help = "for a shell, if something needs a restart; where the server does not start, the files "
                     "are put back and it is run again"},
            {.flags = "--standbys-follow",
             .help = "the standbys have what they must have as much of as this server"},
            {.flags = "-y,--yes", .help = "do not ask"},
            lock_wait,
            pooler,
            role}),
       .run = tune_apply},
      {.name = "bench compare",
       .summary = "measure what designs do to the profile's queries",
       .details =
           "Makes a throwaway server for each PROFILE, with the same programs, migrations and reference "
           "data, "
           "and measures the queries of -p on each: what they read, and how long they take, in blocks whose "
           "order is chance; then what writing costs, and the sizes. The first PROFILE is what the others "
           "are "
           "held against, and `none` declares nothing. It is measured twice, to see what the machine can "
           "tell "
           "apart. A profile that has other words for a query is asked in these. Exit 1 if a query became "
           "slower, fails, has another answer or takes longer than its max_latency, if rows cannot be "
           "written, or if the machine is too restless to judge any time.\n\nWith --attribute each index, "
           "setting and extended statistics "
           "of "
           "the "
           "last PROFILE is left out by itself, in a transaction that is rolled back: which queries read "
           "otherwise "
           "then, how long these take, what writing costs; and which changed nothing measurable.",
       .positionals = {{.name = "PROFILE",
                        .help = "a name or a path, or none; two at least",
                        .repeatable = true}},
       .options = {{.flags = "--events", .value = "N", .help = "of the reference data [1000000]"},
                   {.flags = "--seed", .value = "N", .help = "of the data, and of the order [1]"},
                   {.flags = "--blocks",
                    .value = "N",
                    .help = "how often all is measured; below 5 no time is judged [8]"},
                   {.flags = "--write-rows",
                    .value = "N",
                    .help = "by COPY, and as many by INSERT, in each block; 0: none [10000]"},
                   {.flags = "--timeout", .value = "TIME", .help = "how long a query may take [60s]"},
                   {.flags = "--attribute", .help = "what each part of the last PROFILE is worth"},
                   trust,
                   pg_bin},
       .run = bench_compare,
       .contents = of_comparison,
       .offline = true},
      {.name = "bench load",
       .summary = "offer the profile's queries at a rate, and time them",
       .details =
           "Asks each query as often as its weight says, at times that do not depend on the answers, over "
           "connections as `[connection] pool` has them. Latency counts from when a request was to start, so "
           "that a server that stalls does not hide it. On a throwaway server with the reference data; with "
           "--on-target on the database of -d, in sessions that only read.",
       .positionals = {{.name = "QUERY",
                        .help = "of the profile; none: all of them",
                        .required = false,
                        .repeatable = true}},
       .options = {{.flags = "--rate",
                    .value = "N",
                    .help = "requests a second [10]; repeatable, a step each",
                    .repeatable = true},
                   {.flags = "--to-knee", .help = "go on from there until the server does not keep up"},
                   {.flags = "--duration", .value = "TIME", .help = "of each step [30s]"},
                   {.flags = "--arrivals",
                    .value = "KIND",
                    .help = "as many people come by chance, or evenly [poisson]",
                    .choices = {"poisson", "fixed"}},
                   {.flags = "--timeout", .value = "TIME", .help = "of a request [10s]"},
                   {.flags = "--slow",
                    .value = "TIME",
                    .help = "from there on a request is worth a line [1s]"},
                   {.flags = "--seed", .value = "N", .help = "of what is asked when [1]"},
                   {.flags = "--events", .value = "N", .help = "of the reference data [100000]"},
                   {.flags = "--on-target", .help = "on the database of -d"},
                   pooler,
                   trust,
                   pg_bin},
       .run = bench_load,
       .offline = true},
      {.name = "bench data",
       .summary = "load the reference data, the same for the same seed",
       .details =
           "Fills klaviyo_metrics, klaviyo_campaigns, klaviyo_profiles and klaviyo_events, which must be "
           "there "
           "(`kdb migrate up`) and empty, and analyses them: two years up to 2026-01-01, a few metrics and "
           "profiles with most of the events, some of which come late. All of it is one transaction: what is "
           "interrupted leaves nothing. About 0.6 GB for a million events.",
       .options =
           {{.flags = "--events", .value = "N", .help = "rows of klaviyo_events [1000000]"},
            {.flags = "--seed", .value = "S", .help = "of the random numbers; ids do not depend on it [1]"},
            {.flags = "--only",
             .value = "TABLE",
             .help = "fill this one alone; repeatable",
             .repeatable = true,
             .choices = {"klaviyo_metrics", "klaviyo_campaigns", "klaviyo_profiles", "klaviyo_events"}},
            {.flags = "--stdout", .help = "write what psql reads, and ask no server"},
            lock_timeout,
            role},
       .run = bench_data},
      {.name = "sandbox",
       .summary = "run a command against a throwaway PostgreSQL",
       .details =
           "Starts a server from the programs on this machine, runs COMMAND with DATABASE_URL set, and "
           "removes the server. Without COMMAND it prints the URL and stays until it is interrupted. Where "
           "many are started, KDB_SANDBOX_CACHE=DIR keeps in DIR what initdb made and copies it: a third of "
           "the time, and one system identifier for all.",
       .options = {pg_bin},
       .rest = "COMMAND",
       .run = sandbox,
       .result = Result::stream},
      {.name = "completion",
       .summary = "print a completion script for a shell",
       .details = "bash: source <(kdb completion bash)\nzsh: write it to _kdb in a folder of fpath\n"
                  "fish: kdb completion fish | source",
       .positionals = {{.name = "SHELL", .help = "bash, zsh or fish"}},
       .run = completion,
       .result = Result::text},
  };
  return rows;
}

}  // namespace kdb::cli
