#include "cli/context.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"
#include "cli/log.hpp"
#include "cli/streams.hpp"
#include "files/output.hpp"
#include "host/identity.hpp"
#include "host/process.hpp"
#include "render/formats.hpp"

namespace kdb::cli {

namespace {

/// Where a result goes besides stdout.
struct Target {
  const render::Format* format = nullptr;
  std::string file;
};

/// Endings that promise a format which this kdb does not write.
constexpr std::string_view other_extensions[] = {".yaml", ".yml", ".csv"};

/// The formats that can hold a command's result, in this run of it.
std::vector<std::string_view> formats_of(const Command& command, const Arguments& arguments) {
  switch (command.result) {
    case Result::report:
      return render::format_names(command.contents == nullptr ? render::Contents{}
                                                              : command.contents(arguments));
    case Result::sql:
      return {"text", "sql"};
    case Result::text:
    case Result::stream:
      return {"text"};
  }
  return {};
}

[[noreturn]] void refuse_output(const std::string& given, const std::string& why, std::string hint) {
  throw Error(Exit::usage,
              fmt::format("-o {}: {}; the formats are {}", given.empty() ? "''" : given, why,
                          fmt::join(render::format_names(), ", ")),
              std::move(hint));
}

/// `FORMAT:FILE`, or a file whose ending says the format. A word before the first colon is a format's name,
/// so that a mistyped one does not become a part of the file's.
Target target_of(const std::string& given, const render::Format* otherwise) {
  const size_t colon = given.find(':');
  if (colon != std::string::npos && given.find('/') > colon) {
    const std::string name = given.substr(0, colon);
    const render::Format* named = render::find_format(name);
    if (named == nullptr)
      refuse_output(given, fmt::format("there is no format '{}'", name),
                    fmt::format("write ./{} if that is the file's name", given));
    if (colon + 1 == given.size()) refuse_output(given, "the file's name is missing", "");
    return {.format = named, .file = given.substr(colon + 1)};
  }
  if (given.empty()) refuse_output(given, "the file's name is missing", "");
  const render::Format* by_name = render::format_of_file(given);
  for (const std::string_view extension : other_extensions)
    if (given.size() > extension.size() && given.ends_with(extension))
      refuse_output(given, fmt::format("no format is written to {} files", extension),
                    fmt::format("-o json:{} writes one of them under this name", given));
  return {.format = by_name != nullptr ? by_name : otherwise, .file = given};
}

bool colour_wanted(const Arguments& arguments, int descriptor) {
  const bool refused = arguments.has("no-color") || !host::environment("NO_COLOR").value_or("").empty() ||
                       host::environment("TERM") == "dumb";
  return !refused && is_terminal(descriptor);
}

render::Style style_of(const Arguments& arguments, int descriptor) {
  const auto width = static_cast<size_t>(host::terminal_width(descriptor));
  return {.colour = colour_wanted(arguments, descriptor),
          .terminal = is_terminal(descriptor),
          .width = std::min(width, widest_prose)};
}

/// The URL of the command line or of the environment, which stand before the profile's.
std::optional<std::string> given_url(const Arguments& arguments) {
  if (arguments.has("database-url")) {
    // An unset variable of a script must not send the command to whatever database comes next.
    if (arguments.value("database-url").empty())
      throw Error(Exit::usage, "--database-url is empty",
                  "leave it out to use the environment or the profile");
    return arguments.value("database-url");
  }
  for (const char* name : {"KDB_DATABASE_URL", "DATABASE_URL"})
    if (auto value = host::environment(name); value && !value->empty()) return value;
  return std::nullopt;
}

}  // namespace

struct Context::Output {
  explicit Output(const LogOptions& options) : log(options) {}

  Log log;
  bool colour = false;  // on stdout
};

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

Context::Context(const Command& command, Arguments arguments, std::vector<std::string> rest)
    : command_(command), arguments_(std::move(arguments)), rest_(std::move(rest)) {
  const LogOptions options{.level = arguments_.value("log-level", "info"),
                           .json = arguments_.value("log-format") == "json",
                           .quiet = quiet(),
                           .colour = colour_wanted(arguments_, STDERR_FILENO),
                           .width = host::terminal_width(STDERR_FILENO)};
  output_ = std::make_unique<Output>(options);
  output_->colour = colour_wanted(arguments_, STDOUT_FILENO);
  events_ = [log = &output_->log](const Event& event) { (*log)(event); };
}

Context::~Context() = default;

const files::Profile& Context::profile() {
  if (profile_) return *profile_;
  files::Profile read = files::read_profile(
      arguments_.value("profile", "default"), arguments_.has("profile"), host::environment,
      !command_.offline && !arguments_.has("sandbox") && !given_url(arguments_));
  if (arguments_.has("migrations")) read.migrations.source.folder = arguments_.value("migrations");
  // What strangers wrote is planned in a sandbox, and the plan shows the SQL.
  read.migrations.source.goose_reads_environment = !arguments_.has("sandbox") || arguments_.has("trust");
  if (arguments_.has("lock-wait")) read.migrations.lock_wait = arguments_.duration("lock-wait");
  if (arguments_.has("lock-timeout")) read.connection.lock_timeout = arguments_.duration("lock-timeout");
  if (arguments_.has("pooler")) read.connection.pooler = arguments_.value("pooler");
  if (arguments_.has("role")) read.database.role = arguments_.value("role");
  profile_ = std::make_unique<files::Profile>(std::move(read));
  return *profile_;
}

files::Profile Context::read_profile(const std::string& name) const {
  return files::read_profile(name, true, host::environment, false);
}

const flow::Context& Context::database() {
  if (flow_) return *flow_;
  const files::Profile& read = profile();
  watchdog_ = std::make_unique<pg::Watchdog>();
  const files::ConnectionSection& connection = read.connection;
  auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
  flow_ = std::make_unique<flow::Context>(
      flow::Context{.profile = read,
                    .connect = {.url = given_url(arguments_).value_or(read.database.url),
                                .application_name = fmt::format("kdb {}", command_.name),
                                .connect_timeout = connection.connect_timeout,
                                .response_timeout = connection.response_timeout,
                                .keepalives_idle = connection.keepalives_idle,
                                .keepalives_interval = connection.keepalives_interval,
                                .keepalives_count = connection.keepalives_count},
                    .watchdog = *watchdog_,
                    .events = events_,
                    .random = [engine] { return std::uniform_real_distribution<double>(0.0, 1.0)(*engine); },
                    .command = fmt::format("kdb {}", command_.name),
                    .who = host::who_and_where});
  return *flow_;
}

void Context::check_outputs() const {
  const render::Format* format = render::find_format(arguments_.value("format", "text"));
  const std::vector<std::string_view> possible = formats_of(command_, arguments_);
  const bool can_dry_run = std::any_of(command_.options.begin(), command_.options.end(),
                                       [](const Option& option) { return option.flags == "--dry-run"; });
  const auto check = [&](const render::Format& wanted) {
    if (std::find(possible.begin(), possible.end(), wanted.name) != possible.end()) return;
    throw Error(Exit::usage,
                fmt::format("kdb {} has nothing to say as {} here; it can do {}", command_.name, wanted.name,
                            fmt::join(possible, ", ")),
                can_dry_run ? "with --dry-run it can" : "");
  };
  check(*format);
  for (const std::string& given : arguments_.values("output")) {
    if (command_.result == Result::stream)
      throw Error(Exit::usage, fmt::format("kdb {} has no result to write to a file", command_.name),
                  "leave out -o; the shell's > takes what it prints");
    const Target target = target_of(given, format);
    check(*target.format);
    files::check_output(target.file);
  }
}

void Context::print(const Report& report) {
  const render::Format* format = render::find_format(arguments_.value("format", "text"));
  output_->log.clear_progress();
  const std::vector<std::string> files = arguments_.values("output");
  for (const std::string& given : files) {
    const Target target = target_of(given, format);
    files::write_output(target.file, target.format->render(report, {}));
  }
  if (quiet() && !files.empty()) return;
  print_raw(format->render(report, style_of(arguments_, STDOUT_FILENO)));
}

void Context::print_text(const std::string& text) {
  const std::vector<std::string> files = arguments_.values("output");
  const render::Format* as_text = render::find_format("text");
  for (const std::string& given : files) files::write_output(target_of(given, as_text).file, text);
  if (quiet() && !files.empty()) return;
  print_raw(is_terminal(STDOUT_FILENO) ? printable(text) : text);
}

bool Context::can_ask() const {
  return !arguments_.has("yes") && is_terminal(STDIN_FILENO) && is_terminal(STDERR_FILENO);
}

bool Context::ask(const Report& report, const std::string& question) {
  if (arguments_.has("yes")) return true;
  if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO))
    throw Error(
        Exit::refused,
        fmt::format("kdb {} asks before it changes anything, and there is nobody to ask", command_.name),
        "add --yes if you mean it; --dry-run shows what would run");
  output_->log.clear_progress();
  const std::string text = render::render_text(report, style_of(arguments_, STDERR_FILENO));
  write_message(fmt::format("{}\n{} [y/N] ", text, question));
  const std::string answer = read_answer();
  return equals_ignore_case(trim(answer), "y") || equals_ignore_case(trim(answer), "yes");
}

/// The line that is typed; a signal ends the wait at once, and the end of the input is no answer.
std::string Context::read_answer() {
  std::string answer;
  try {
    while (answer.find('\n') == std::string::npos) {
      if (watchdog_) watchdog_->wait_readable(STDIN_FILENO);
      std::array<char, 256> buffer{};
      const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        write_message("\n");  // what comes next is not part of the question
        return {};
      }
      answer.append(buffer.data(), static_cast<size_t>(count));
    }
    // A Ctrl-C that was pressed before the answer reaches us by another way: it goes first.
    if (watchdog_) watchdog_->sleep(std::chrono::milliseconds(30));
  } catch (const Error& signal) {
    write_message("\n");
    throw Error(signal.exit(), signal.what(), "nothing was changed");
  }
  return answer;
}

void Context::print_raw(const std::string& text) {
  output_->log.clear_progress();
  write_result(text);
}

void Context::print_error(const Error& error) {
  output_->log.clear_progress();
  if (arguments_.value("log-format") == "json") {
    for (const Problem& problem : error.problems()) {
      const std::string where = to_string(problem.where);
      output_->log({.kind = Event::Kind::error,
                    .message = fmt::format("{}{}{}{}{}", where, where.empty() ? "" : ": ", problem.message,
                                           problem.details.empty() ? "" : "\n", problem.details),
                    .hint = problem.hint});
    }
  } else {
    write_message(
        render::render_problems(error.problems(), {.colour = colour_wanted(arguments_, STDERR_FILENO)}));
  }
  const render::Format* format = render::find_format(arguments_.value("format", "text"));
  if (format == nullptr || format->render_error == nullptr) return;
  try {
    print_raw(format->render_error(command_.name, error));
  } catch (const Error&) {
    // The error that is being reported is the one that counts.
  }
}

}  // namespace kdb::cli
