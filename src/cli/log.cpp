#include "cli/log.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "base/text.hpp"
#include "cli/streams.hpp"
#include "render/formats.hpp"

namespace kdb::cli {

namespace {

constexpr std::chrono::milliseconds redraw_interval{80};

/// What follows `"message":` on a line.
std::string as_json(const Event& event) {
  std::string text = render::json_string(event.message);
  if (!event.hint.empty()) text += ",\"hint\":" + render::json_string(event.hint);
  return text;
}

spdlog::level::level_enum level_of(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::info:
      return spdlog::level::info;
    case Event::Kind::warning:
    case Event::Kind::retry:
      return spdlog::level::warn;
    case Event::Kind::notice:
      return spdlog::level::info;
    case Event::Kind::progress:
    case Event::Kind::debug:
      return spdlog::level::debug;
    case Event::Kind::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string prefix_of(Event::Kind kind, bool colour) {
  const auto paint = [&](std::string_view code, std::string_view word) {
    return colour ? fmt::format("\x1b[{}m{}\x1b[0m ", code, word) : fmt::format("{} ", word);
  };
  switch (kind) {
    case Event::Kind::warning:
      return paint("33", "warning:");
    case Event::Kind::retry:
      return paint("33", "retry:");
    case Event::Kind::notice:
      return paint("2", "server:");
    case Event::Kind::info:
    case Event::Kind::progress:
    case Event::Kind::error:
    case Event::Kind::debug:
      return {};
  }
  return {};
}

/// The first `width` characters of UTF-8 text; what was longer ends in `…`.
std::string cut(std::string_view text, size_t width) {
  if (columns_of(text) <= width) return std::string(text);
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U) continue;
    if (++columns == width) return std::string(text.substr(0, i)) + "…";
  }
  return {};
}

/// What people read of an event, wrapped where it is long and goes to a terminal.
std::string message_text(const Event& event, const LogOptions& options) {
  const std::string message = printable(event.message);
  const std::string prefix = prefix_of(event.kind, options.colour);
  if (options.width == 0 || event.kind != Event::Kind::warning) return prefix + message;
  const std::string plain = prefix_of(event.kind, false);
  std::string text = wrapped(plain, message, 2, std::min(static_cast<size_t>(options.width), widest_prose));
  text.pop_back();
  return prefix + text.substr(plain.size());
}

/// One line of at most `width` columns: what is cut is the label, not the figures behind it.
std::string progress_line(const Event& event, size_t width) {
  const std::string figures = cut(printable_line(event.figures), width);
  const std::string label = printable_line(event.message.substr(0, event.message.find('\n')));
  return cut(label, width - columns_of(figures)) + figures;
}

/// spdlog's own throws where stderr cannot be written.
class Sink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    write_message({line.data(), line.size()});
  }
  void flush_() override {}
};

}  // namespace

struct Log::Impl {
  LogOptions options;
  spdlog::logger logger;
  std::mutex mutex;
  bool drawn = false;
  std::chrono::steady_clock::time_point last_drawn;
  std::optional<std::chrono::steady_clock::time_point> last_line;

  explicit Impl(const LogOptions& given) : options(given), logger("kdb", std::make_shared<Sink>()) {
    logger.set_pattern(options.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})" : "%v",
                       spdlog::pattern_time_type::utc);
    logger.set_level(options.quiet ? spdlog::level::warn : spdlog::level::from_str(options.level));
  }

  void clear() {
    if (drawn) write_message("\r\x1b[K");
    drawn = false;
  }

  void write(const Event& event) {
    logger.log(level_of(event.kind), options.json ? as_json(event) : message_text(event, options));
  }

  /// Of what takes long, so that the log of a pipeline shows that it goes on. The first line too comes only
  /// after the interval.
  void write_progress(const Event& event) {
    if (event.figures.empty()) return;
    const auto now = std::chrono::steady_clock::now();
    if (!last_line) last_line = now;
    if (now - *last_line < options.line_interval) return;
    last_line = now;
    write({.kind = Event::Kind::info, .message = printable_line(event.message + event.figures)});
  }

  void draw(const Event& event) {
    if (options.width == 0 || options.json) return write_progress(event);
    if (options.quiet) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_drawn < redraw_interval) return;
    last_drawn = now;
    // Room for the ^C that a terminal shows: on the next line it would stay, and this one with it.
    const auto width = static_cast<size_t>(std::max(options.width - 3, 0));
    write_message(fmt::format("\r\x1b[K{}", progress_line(event, width)));
    drawn = true;
  }
};

Log::Log(const LogOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Log::~Log() { clear_progress(); }

void Log::operator()(const Event& event) {
  const std::lock_guard lock(impl_->mutex);
  if (event.kind == Event::Kind::progress) return impl_->draw(event);
  impl_->clear();
  impl_->write(event);
}

void Log::clear_progress() {
  const std::lock_guard lock(impl_->mutex);
  impl_->clear();
}

}  // namespace kdb::cli
