#include "pg/driver.hpp"

#include <utility>

#include <libpq-fe.h>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/version>

#if defined(__SANITIZE_ADDRESS__)  // g++
#define KDB_ADDRESS_SANITIZER 1
#elif defined(__has_feature)  // clang++
#define KDB_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#else
#define KDB_ADDRESS_SANITIZER 0
#endif

#if PQXX_VERSION_MAJOR == 6 && KDB_ADDRESS_SANITIZER
// 6.4 forgets the last result of a lost session: make_result asks for the encoding first, and that throws. A
// few kB for each lost session, which are few.
extern "C" const char* __lsan_default_suppressions() { return "leak:pqxx::connection_base::exec"; }
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
#endif

namespace kdb::pg {
namespace {

using Parameters = std::vector<std::optional<std::string>>;

#if PQXX_VERSION_MAJOR == 6

/// 6.4's way to bring a connection of one's own: a policy that hands it over, and owns it until it is closed.
class Adoption : public pqxx::connectionpolicy {
 public:
  explicit Adoption(handle session) : connectionpolicy(std::string()), session_(session) {}
  ~Adoption() noexcept override { PQfinish(session_); }
  Adoption(const Adoption&) = delete;
  Adoption& operator=(const Adoption&) = delete;

  handle do_startconnect(handle) override { return session_; }
  handle do_disconnect(handle) noexcept override {
    PQfinish(std::exchange(session_, nullptr));
    return nullptr;
  }

 private:
  handle session_;
};

class Session : private Adoption, public pqxx::connection_base {
 public:
  explicit Session(pg_conn* raw)
      : Adoption(raw), connection_base(static_cast<pqxx::connectionpolicy&>(*this)) {
    init();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    // Deprecated without a replacement: 7.0 dropped what it switches off. A lost session is never replaced
    // silently, because its locks and settings are lost with it.
    inhibit_reactivation(true);
#pragma GCC diagnostic pop
  }
  ~Session() noexcept override { close(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
};

void execute(pqxx::nontransaction& door, const std::string& sql, const Parameters& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& value : parameters) values.push_back(value ? value->c_str() : nullptr);
  door.exec_params(sql, pqxx::prepare::make_dynamic_params(values));
}

#else

class Session : public pqxx::connection {
 public:
  explicit Session(pg_conn* raw) : connection(seize_raw_connection(raw)) {}
};

void execute(pqxx::nontransaction& door, const std::string& sql, const Parameters& parameters) {
  pqxx::params values;
  values.reserve(parameters.size());
  for (const auto& value : parameters) {
    if (value) {
      values.append(*value);
    } else {
      values.append();
    }
  }
  door.exec(sql, values);
}

#endif

}  // namespace

struct Driver::Impl {
  explicit Impl(pg_conn* raw) : session(raw), door(session) {}
  Session session;
  pqxx::nontransaction door;  // sends nothing by itself: BEGIN and COMMIT are the callers' statements
};

Driver::Driver(pg_conn* session) : impl_(std::make_unique<Impl>(session)) {}

Driver::~Driver() = default;

std::optional<std::string> Driver::run(const std::string& sql) {
  try {
    impl_->door.exec(sql);
  } catch (const std::exception& error) {
    return error.what();
  }
  return std::nullopt;
}

std::optional<std::string> Driver::run(const std::string& sql, const Parameters& parameters) {
  try {
    execute(impl_->door, sql, parameters);
  } catch (const std::exception& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace kdb::pg
