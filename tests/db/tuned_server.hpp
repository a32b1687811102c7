#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "db/own_server.hpp"

namespace kdb::test {

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A server of the test's own, and the settings that a profile declares for it.
class TunedServer {
 public:
  explicit TunedServer(const std::string& settings) {
    std::filesystem::create_directories(project_.folder());
    declare(settings);
    data_ = Session(server_.url()).text("SHOW data_directory");
  }

  OwnServer& server() { return server_; }
  void declare(const std::string& settings) {
    profile_ = folder_
                   .write("p.toml",
                          "[connection.retry]\ndeadline = \"3s\"\n[server]\nmemory = \"512MB\"\ncpus = 2\n"
                          "[server.settings]\n" +
                              settings)
                   .string();
  }
  std::vector<std::string> command(std::vector<std::string> words, const std::string& url = {}) const {
    words.insert(words.end(), {"-p", profile_});
    return project_.command(url.empty() ? server_.url() : url, words);
  }
  Run kdb(std::vector<std::string> words) const { return run(command(std::move(words))); }
  Run apply(const std::string& method, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"tune", "apply", "--method", method};
    words.insert(words.end(), more.begin(), more.end());
    return kdb(std::move(words));
  }
  Run diff() const { return kdb({"tune", "diff", "--exit-code"}); }
  std::string show(const std::string& name) const { return Session(server_.url()).text("SHOW " + name); }
  std::string data(const std::string& name) const { return data_ + "/" + name; }
  /// Every file that says what the server is set to, with its bytes.
  std::string files() const {
    std::string all;
    for (const char* name : {"postgresql.conf", "postgresql.auto.conf", "kdb-tune.conf"})
      all += bytes_of(data(name)) + "\n---\n";
    return all;
  }

 private:
  OwnServer server_;
  Project project_;
  TempDir folder_;
  std::string profile_;
  std::string data_;
};

}  // namespace kdb::test
