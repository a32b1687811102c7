#include "pg/conninfo.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;
using ConninfoOptions = std::map<std::string, std::string>;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using OptionList = std::unique_ptr<PQconninfoOption, FreeOptions>;

ConninfoOptions to_map(const PQconninfoOption* options) {
  ConninfoOptions map;
  for (; options != nullptr && options->keyword != nullptr; ++options) {
    if (options->val != nullptr) map.emplace(options->keyword, options->val);
  }
  return map;
}

/// Whether what stands behind the question mark cannot be a part of a password: no `@` follows, and a colon
/// before it is that of a user who has his `@`, or of a port.
bool is_plain_query(std::string_view url) {
  const size_t question = std::min(url.find('?'), url.size());
  const std::string_view before = url.substr(0, question).substr(url.find("://") + 3);
  if (url.find('@', question) != std::string_view::npos) return false;
  const std::string_view authority = before.substr(0, before.find('/'));
  return before.find('@') != std::string_view::npos || authority.find(':') == std::string_view::npos ||
         authority.find_first_not_of("0123456789", authority.rfind(':') + 1) == std::string_view::npos;
}

/// The parameter that libpq does not know: `foo` of `?foo=bar`; empty where that is not the mistake.
std::string unknown_parameter(std::string_view url, const char* complaint) {
  constexpr std::string_view wanted = "invalid URI query parameter: \"";
  const std::string_view text = complaint == nullptr ? "" : trim(complaint);
  if (!is_url(url) || !is_plain_query(url) || !text.starts_with(wanted)) return {};
  return std::string(text.substr(wanted.size(), text.rfind('"') - wanted.size()));
}

[[noreturn]] void refuse_malformed(std::string_view url, const char* complaint = nullptr) {
  if (const std::string name = unknown_parameter(url, complaint); !name.empty())
    throw Error(Exit::usage, fmt::format("malformed database URL {}: no parameter \"{}\"", redact(url), name),
                "after the question mark libpq knows sslmode, connect_timeout, application_name, options …");
  throw Error(
      Exit::usage, fmt::format("malformed database URL {}", redact(url)),
      is_url(url)
          ? "write postgresql://user:password@host:port/database, with @ / : ? # and % in the user or "
            "password percent-encoded (%40 %2F %3A %3F %23 %25)"
          : "write postgresql://user:password@host:port/database, or host=… port=… dbname=… user=…");
}

/// What the user wrote. libpq's own message would repeat the text around the mistake, a password perhaps.
ConninfoOptions parse(const std::string& url) {
  if (url.empty()) return {};
  if (is_database_name(url)) return {{"dbname", url}};
  if (has_stray_separator(url)) refuse_malformed(url);
  char* complaint = nullptr;
  const OptionList list(PQconninfoParse(url.c_str(), &complaint));
  const std::unique_ptr<char, void (*)(void*)> freed(complaint, PQfreemem);
  if (!list) refuse_malformed(url, complaint);
  ConninfoOptions options = to_map(list.get());
  // `dbname=postgresql://…` is a database of that name to libpq here, and its error would print the URL.
  const auto database = options.find("dbname");
  if (database != options.end() && database->second.find("://") != std::string::npos) refuse_malformed(url);
  return options;
}

std::string seconds(milliseconds time) {
  return std::to_string(
      std::max<milliseconds::rep>(1, std::chrono::ceil<std::chrono::seconds>(time).count()));
}

/// libpq's rule for connect_timeout: whole seconds, 1 counts as 2, zero and less is for ever.
milliseconds parse_connect_timeout(const std::string& text, milliseconds otherwise) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return otherwise;
  if (value <= 0) return milliseconds(0);
  return std::chrono::seconds(std::max(value, 2));
}

/// What the user gave: in the URL, or in libpq's environment and service file.
struct Given {
  explicit Given(const std::string& url)
      : own(parse(url)), inherited(to_map(OptionList(PQconndefaults()).get())) {}

  bool has(const std::string& keyword) const {
    return own.find(keyword) != own.end() || inherited.find(keyword) != inherited.end();
  }
  std::string value(const std::string& keyword) const {
    for (const ConninfoOptions* options : {&own, &inherited}) {
      const auto found = options->find(keyword);
      if (found != options->end() && !found->second.empty()) return found->second;
    }
    return {};
  }

  ConninfoOptions own;
  ConninfoOptions inherited;
};

size_t count_hosts(const Given& given) {
  size_t most = 1;
  for (const char* keyword : {"host", "hostaddr"}) {
    const std::string list = given.value(keyword);
    most = std::max(most, size_t{1} + static_cast<size_t>(std::count(list.begin(), list.end(), ',')));
  }
  return most;
}

milliseconds connect_deadline(const Given& given, const ConnectSettings& settings) {
  const milliseconds limit = settings.connect_limit;
  const milliseconds wanted = parse_connect_timeout(given.value("connect_timeout"), settings.connect_timeout);
  if (limit.count() <= 0) return wanted;
  return wanted.count() == 0 ? limit : std::min(wanted, limit);
}

/// How long a SYN of one host may stay unanswered, so that the others have their turn before the deadline.
milliseconds share_of(milliseconds deadline, size_t hosts) {
  if (hosts == 1) return deadline;
  const milliseconds margin(100);
  return std::max(milliseconds(1'000), deadline / static_cast<milliseconds::rep>(hosts) - margin);
}

}  // namespace

bool is_url(std::string_view text) {
  return text.substr(0, 13) == "postgresql://" || text.substr(0, 11) == "postgres://";
}

bool is_database_name(std::string_view text) { return text.find_first_of("=:/@") == std::string_view::npos; }

bool has_stray_separator(std::string_view url) {
  if (!is_url(url)) return false;
  const std::string_view rest = url.substr(url.find("://") + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::string_view host =
      authority.substr(authority.find('@') + 1);  // all of it where there is no user
  if (host.substr(0, host.find('?')).find('@') != std::string_view::npos) return true;
  const std::string_view path = rest.substr(authority.size());
  return path.substr(0, path.find('?')).find('@') != std::string_view::npos;
}

std::string Conninfo::value(std::string_view keyword) const {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.first == keyword; });
  return found == options.end() ? std::string() : found->second;
}

Conninfo make_conninfo(const ConnectSettings& settings) {
  const Given given(settings.url);
  Conninfo conninfo;
  conninfo.deadline = connect_deadline(given, settings);
  conninfo.own_tcp_user_timeout = !given.has("tcp_user_timeout") && conninfo.deadline.count() > 0;

  ConninfoOptions options = given.own;
  const auto otherwise = [&](const char* keyword, const std::string& value) {
    if (!given.has(keyword)) options.emplace(keyword, value);
  };
  otherwise("keepalives_idle", seconds(settings.keepalives_idle));
  otherwise("keepalives_interval", seconds(settings.keepalives_interval));
  otherwise("keepalives_count", std::to_string(settings.keepalives_count));
  otherwise("fallback_application_name", settings.application_name);
  if (conninfo.own_tcp_user_timeout) {
    const milliseconds share = share_of(conninfo.deadline, count_hosts(given));
    options.emplace("tcp_user_timeout", std::to_string(share.count()));
  }
  // What migrations and profiles are written in, whatever the user's terminal is.
  options["client_encoding"] = "UTF8";
  conninfo.options.assign(options.begin(), options.end());
  return conninfo;
}

std::string format_endpoint(std::string_view host, std::string_view port) {
  if (!host.empty() && (host.front() == '/' || host.front() == '@')) return std::string(host);
  const bool v6 = host.find(':') != std::string_view::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string describe_target(const ConnectSettings& settings) {
  const Given given(settings.url);
  const std::string hosts = given.value("host").empty() ? given.value("hostaddr") : given.value("host");
  if (hosts.empty()) return "the local socket";
  const std::string ports = given.value("port");
  const auto port_list = split(ports, ',');
  std::string text;
  size_t index = 0;
  for (const std::string_view host : split(hosts, ',')) {
    const std::string_view port = port_list.size() > index ? port_list[index] : port_list.front();
    text += (index == 0 ? "" : ",") + format_endpoint(host, port.empty() ? "5432" : port);
    ++index;
  }
  return text;
}

}  // namespace kdb::pg
