#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/columnstore.hpp"
#include "kinds/policy.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

/// What a hypertable or a continuous aggregate holds.
struct ChunkState {
  bool known = false;  // otherwise it may hold anything
  std::int64_t chunks = 0;
  std::int64_t compressed = 0;     // of the chunks
  std::vector<std::int64_t> ages;  // microseconds since the end of each chunk; none for integer time
};

/// Writes the statements of one, above all those of the parts that both kinds have.
class PartSteps {
 public:
  /// `alter` begins its ALTER: `ALTER TABLE`. `fields` are those that differ, for one that is there. All but
  /// the strings must outlive it.
  PartSteps(const ObjectName& name, std::string_view alter, const std::vector<FieldChange>& fields,
            const ServerFacts& facts, ChunkState state);

  const PolicyOwner& owner() const { return owner_; }
  /// Whether a field or a part of it is to be changed.
  bool differs(std::string_view field) const;

  ChangeStep& add(std::string sql, std::string purpose, LockMode mode = LockMode::none);
  void add(std::vector<ChangeStep> steps);
  ChangeStep& call(std::string_view function, const std::vector<Argument>& arguments, std::string purpose,
                   LockMode mode = LockMode::none);
  /// It blocks where there is data.
  void add_hazard(ChangeStep& step, std::string_view id, std::string reason) const;

  /// From `live`, null where it is off or the object new, to `wanted`.
  void columnstore(const std::optional<Columnstore>& wanted, const std::optional<Columnstore>& live,
                   const std::optional<JobFacts>& job);
  void retention(const std::optional<Retention>& wanted, const std::optional<Retention>& live,
                 const std::optional<JobFacts>& job);

  std::vector<ChangeStep> take() { return std::move(steps_); }

 private:
  void set_columnstore(const Columnstore& wanted, const Columnstore* live, std::string purpose);
  void alter_columnstore(const Columnstore& wanted, const Columnstore& live,
                         const std::optional<JobFacts>& job);
  void add_loss(ChangeStep& step, const Retention& wanted) const;

  PolicyOwner owner_;
  std::string alter_;
  const std::vector<FieldChange>& fields_;
  const ServerFacts& facts_;
  ChunkState state_;
  std::vector<ChangeStep> steps_;
};

}  // namespace kdb
