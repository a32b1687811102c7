#include "pg/client_environment.hpp"

#include <memory>

#include <libpq-fe.h>

#include "base/error.hpp"

namespace kdb::pg {

std::map<std::string, std::string> client_environment(const std::string& url) {
  std::map<std::string, std::string> environment;
  if (url.empty()) return environment;
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &message), PQconninfoFree);
  if (!options) {
    PQfreemem(message);  // it may quote the password
    throw Error(Exit::usage, "the database URL cannot be parsed",
                "postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr && option->envvar != nullptr) environment[option->envvar] = option->val;
  return environment;
}

}  // namespace kdb::pg
