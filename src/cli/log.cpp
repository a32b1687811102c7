#include "cli/log.hpp"

#include <chrono>
#include <mutex>

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "cli/streams.hpp"

namespace kdb::cli {

namespace {

constexpr std::chrono::milliseconds redraw_interval{80};

/// A JSON string (RFC 8259, section 7).
std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      quoted += c;
  }
  return quoted + "\"";
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

/// The first `width` characters of UTF-8 text.
std::string_view cut(std::string_view text, int width) {
  int columns = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U) continue;
    if (columns++ == width) return text.substr(0, i);
  }
  return text;
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

  explicit Impl(const LogOptions& given) : options(given), logger("kdb", std::make_shared<Sink>()) {
    logger.set_pattern(options.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})" : "%v",
                       spdlog::pattern_time_type::utc);
    logger.set_level(options.quiet ? spdlog::level::warn : spdlog::level::from_str(options.level));
  }

  void clear() {
    if (drawn) write_message("\r\x1b[K");
    drawn = false;
  }

  void draw(const std::string& message) {
    if (options.width == 0 || options.quiet || options.json) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_drawn < redraw_interval) return;
    last_drawn = now;
    const std::string line = message.substr(0, message.find('\n'));
    write_message(fmt::format("\r\x1b[K{}", cut(line, options.width - 1)));
    drawn = true;
  }
};

Log::Log(const LogOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Log::~Log() { clear_progress(); }

void Log::operator()(const Event& event) {
  const std::lock_guard lock(impl_->mutex);
  if (event.kind == Event::Kind::progress) return impl_->draw(event.message);
  impl_->clear();
  impl_->logger.log(level_of(event.kind), impl_->options.json
                                              ? json_string(event.message)
                                              : prefix_of(event.kind, impl_->options.colour) + event.message);
}

void Log::clear_progress() {
  const std::lock_guard lock(impl_->mutex);
  impl_->clear();
}

}  // namespace kdb::cli
