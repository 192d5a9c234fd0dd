#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/column.h"
#include "definitions.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "random_rows.h"
#include "serving/model_plan.h"
#include "stores/event_log.h"

namespace coeval::sim {

/// What the server must be: the plain list of all that was appended, how much of it was promised,
/// and a kernel that has had exactly these events, without files, snapshots or restarts.
class Model {
 public:
  /// A record as it must stand in the log.
  struct Expected {
    stores::RecordKind kind = stores::RecordKind::event;
    int source = -1;  ///< of events
    std::int64_t known_us = 0;
    std::string payload;  ///< of events
    /// Of predictions.
    std::int64_t at_us = 0;
    std::string features;
  };
  /// An answer, before it is logged.
  struct Answer {
    std::string features;       ///< encoded, as they are logged
    std::string features_json;  ///< as they are answered
  };

  static Result<std::unique_ptr<Model>> create(const Definition& definition, Random& random);

  /// The first `count` rows were appended, all known at `known_us`. Returns how many are
  /// duplicates.
  Result<std::int64_t> append_events(int source, const data::Batch& rows, std::int64_t count,
                                     std::int64_t known_us);
  void append_prediction(std::int64_t known_us, std::int64_t at_us, std::string features);

  std::size_t size() const { return records_.size(); }
  const Expected& record(std::size_t position) const { return records_[position]; }
  /// Known time of the last record, or INT64_MIN.
  std::int64_t last_known_us() const;
  /// Records that were promised to be on disk.
  std::size_t acknowledged() const { return acknowledged_; }
  /// Records that were handed to the system, which the end of the process alone must not lose.
  std::size_t handed() const { return handed_; }
  void acknowledge(std::size_t records);
  /// A commit succeeded: events are promised, and predictions before the last of them.
  void commit();
  void hand_over() { handed_ = records_.size(); }
  /// The log refuses writes: it shows what was promised, and no more.
  void take_back_what_was_handed() { handed_ = acknowledged_; }
  /// The log came back with the first `records` of these, all of which are on disk.
  Status recover_to(std::size_t records);

  /// Repair put a record of kind lost, known at this time, in the place of one that was not
  /// promised.
  void lose(std::size_t position, std::int64_t known_us);
  /// What differs from the record that must stand at this position; empty when nothing.
  std::string difference(const stores::Record& found, std::size_t position) const;

  bool reaches(std::int64_t at_us) const;
  Result<Answer> ask(const std::string& key, std::int64_t at_us);
  std::string state() const { return kernel::serialize_state(*kernel_, *names_); }

 private:
  Model(const Definition& definition, Random& random) : definition_(definition), random_(random) {}
  Status begin_kernel();
  Status fold(std::size_t from, std::size_t to);
  Result<std::int64_t> apply(int source, const data::Batch& rows,
                             const std::vector<std::int64_t>& known_us);

  const Definition& definition_;
  Random& random_;
  std::vector<Expected> records_;
  std::size_t acknowledged_ = 0, handed_ = 0;
  bool lost_ = false;  // the kernel has had events that are gone
  std::unique_ptr<kernel::Kernel> kernel_;
  std::unique_ptr<kernel::EventIndexes> names_;
  serving::ModelPlan plan_;
  kernel::EvaluationCounts counts_;
};

}  // namespace coeval::sim
