#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/reference_data.hpp"
#include "flow/sandbox_database.hpp"
#include "flow/session.hpp"
#include "model/comparison.hpp"

namespace kdb::flow {

/// One of the designs that are compared.
struct Design {
  std::string name;        // as it was asked for
  files::Profile profile;  // of "none" one that declares nothing
};

/// What a design is measured on.
struct BenchServer {
  std::string pg_bin = {};  // as of host::SandboxOptions
  /// Migrations, profile and queries have a superuser's rights; otherwise those of a role that owns the
  /// database and reaches neither files nor programs.
  bool trust = false;
};

/// Whether a setting of a design is had by its server. A profile may be a stranger's: what does more than
/// change costs is left out, such as reaching out of the cluster or bringing code into it. So is what a
/// measurement has otherwise.
bool may_be_measured(const std::string& setting);

/// A design on a throwaway server of its own, with the reference data in it: migrated, loaded, brought to
/// what the profile declares, and as old as its policies want it. Nothing runs there beside what is measured.
class BenchCluster {
 public:
  /// Throws as `up`, `apply` and `load_reference_data` do.
  BenchCluster(const Context& outside, const Design& design, const ReferenceData& data,
               const BenchServer& server);

  /// The session in which all is measured.
  Session& session() { return *session_; }
  const Context& inside() const { return database_.inside(); }
  /// What is known by now: name, server, times of loading and building, sizes.
  DesignMeasures& measures() { return measures_; }
  /// As SandboxDatabase has it.
  std::optional<std::int64_t> full_page_bytes(const std::vector<WalRange>& ranges) const {
    return database_.full_page_bytes(ranges);
  }

 private:
  void fill(const ReferenceData& data);
  void note_server();

  const Context& outside_;
  const Design& design_;
  Context context_;  // with the design's profile
  SandboxDatabase database_;
  std::optional<Session> session_;
  DesignMeasures measures_;
};

}  // namespace kdb::flow
