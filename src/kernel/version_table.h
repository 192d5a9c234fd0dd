#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "kernel/changes.h"
#include "kernel/key_table.h"
#include "kernel/state_part.h"

namespace coeval::kernel {

/// The rows of one lookup by key, all of them, as events read them: an event of event time E that
/// became known at K reads the newest row of its key, by (event time, position), with event time
/// < E and known time < K. (semantics: T3 T5)
///
/// So what an event reads is a function of the rows and of its two times alone: rows that become
/// known later may be added before or after it is asked for.
class VersionTable final : public StatePart {
 public:
  /// `values` are the columns that are looked up.
  explicit VersionTable(data::Schema values);

  /// Adds rows in position order: `order` are rows of the columns. A row with a null in its key is
  /// nobody's.
  void add(std::span<const data::Column* const> keys, const data::Batch& values,
           std::span<const std::int64_t> event_time_us, std::span<const std::int64_t> known_us,
           std::span<const std::int64_t> order);

  /// What events read: a column per value, null where a key is null or unknown, or no row is old
  /// enough.
  std::vector<data::Column> find(std::span<const data::Column* const> keys,
                                 std::span<const std::int64_t> event_time_us,
                                 std::span<const std::int64_t> known_us) const;

  const data::Schema& values() const { return values_; }
  std::int64_t size() const { return size_; }

  /// Canonical bytes: equal rows give equal bytes whatever the batching was. (semantics: A5)
  void serialize(std::string& out) const;
  /// Reads what serialize wrote off the front; false when it is not that, and the table is then
  /// empty.
  bool restore(std::string_view& bytes);

  // A unit is all rows of a key, under the key's bytes.
  void track_changes() override;
  bool tracks_changes() const override { return changes_.tracks(); }
  std::string summary() const override { return {}; }
  void freeze(UnitSink& sink, std::uint32_t part) override;
  bool capture(std::size_t bytes) override;
  void settle(bool kept) override;
  bool begin_restore(std::string_view summary) override;
  bool restore_unit(std::string_view key, std::string_view bytes) override;
  void end_restore() override {}

 private:
  struct Version {
    std::int64_t event_time_us, known_us;
    std::string row;  // data::encode_row of the values
  };
  const Version* newest(std::int32_t entity, std::int64_t event_time_us,
                        std::int64_t known_us) const;
  void add(std::int32_t entity, Version version);
  void append_unit(std::string& out, std::int32_t entity) const;
  bool take_entity(std::string_view& bytes);
  bool take_unit(std::string_view& bytes, std::int32_t entity);
  void before_change(std::int32_t entity);
  void capture_entity(std::int32_t entity);
  void clear();

  data::Schema values_;
  KeyTable keys_;
  std::vector<std::vector<Version>> versions_;  // by entity, by (event time, position)
  std::int64_t size_ = 0;
  Changes<std::int32_t> changes_;
  std::vector<Changes<std::int32_t>::Mark> marks_;  // by entity
  UnitSink* sink_ = nullptr;
  std::uint32_t part_ = 0;
  std::string scratch_;
};

}  // namespace coeval::kernel
