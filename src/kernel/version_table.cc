// The bytes of a table are, little-endian: u64 keys; for each, in the order of its bytes, the key
// (a text), u64 versions, and for each its event time, its known time and its row (a text of
// data/row_codec.h).

#include "kernel/version_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "data/row_codec.h"

namespace coeval::kernel {

namespace {

// A reader over the front of `bytes` that takes away what was read.
class Front {
 public:
  explicit Front(std::string_view& bytes) : bytes_(bytes) {}
  bool u64(std::uint64_t& value) { return read(value, &data::ByteReader::u64); }
  bool text(std::string_view& value) { return read(value, &data::ByteReader::text); }

 private:
  template <class Value>
  bool read(Value& value, bool (data::ByteReader::*take)(Value&)) {
    data::ByteReader reader(bytes_);
    if (!(reader.*take)(value)) return false;
    bytes_.remove_prefix(bytes_.size() - reader.remaining());
    return true;
  }
  std::string_view& bytes_;
};

std::vector<data::ColumnBuilder> builders_of(const data::Schema& schema) {
  std::vector<data::ColumnBuilder> builders;
  for (const auto& field : schema.fields) builders.emplace_back(field.type);
  return builders;
}

bool is_row(std::string_view bytes, const data::Schema& schema) {
  auto builders = builders_of(schema);
  return data::decode_row(bytes, schema, builders).has_value();
}

}  // namespace

VersionTable::VersionTable(data::Schema values) : values_(std::move(values)) {}

void VersionTable::add(std::span<const data::Column* const> keys, const data::Batch& values,
                       std::span<const std::int64_t> event_time_us,
                       std::span<const std::int64_t> known_us,
                       std::span<const std::int64_t> order) {
  const auto entities = keys_.intern_rows(keys, values.rows);
  versions_.resize(static_cast<std::size_t>(keys_.size()));
  marks_.resize(versions_.size());
  for (const std::int64_t row : order) {
    const auto place = static_cast<std::size_t>(row);
    if (entities[place] == KeyTable::kNull) continue;
    before_change(entities[place]);
    add(entities[place], {event_time_us[place], known_us[place], data::encode_row(values, row)});
  }
}

void VersionTable::add(std::int32_t entity, Version version) {
  auto& versions = versions_[static_cast<std::size_t>(entity)];
  const auto place =
      std::ranges::upper_bound(versions, version.event_time_us, {}, &Version::event_time_us);
  versions.insert(place, std::move(version));
  ++size_;
}

const VersionTable::Version* VersionTable::newest(std::int32_t entity, std::int64_t event_time_us,
                                                  std::int64_t known_us) const {
  const auto& versions = versions_[static_cast<std::size_t>(entity)];
  auto at = std::ranges::lower_bound(versions, event_time_us, {}, &Version::event_time_us);
  while (at != versions.begin())
    if ((--at)->known_us < known_us) return &*at;
  return nullptr;
}

std::vector<data::Column> VersionTable::find(std::span<const data::Column* const> keys,
                                             std::span<const std::int64_t> event_time_us,
                                             std::span<const std::int64_t> known_us) const {
  std::vector<std::string> unknown;
  const auto entities =
      keys_.find_rows(keys, static_cast<std::int64_t>(event_time_us.size()), unknown);
  auto builders = builders_of(values_);
  for (std::size_t row = 0; row < entities.size(); ++row) {
    const Version* found =
        entities[row] < 0 ? nullptr : newest(entities[row], event_time_us[row], known_us[row]);
    if (found == nullptr) {
      for (auto& builder : builders) builder.append_null();
      continue;
    }
    // Rows are those that were encoded here, or checked when they were restored.
    COEVAL_CHECK(data::decode_row(found->row, values_, builders).has_value());
  }
  std::vector<data::Column> columns;
  for (auto& builder : builders) columns.push_back(builder.finish());
  return columns;
}

void VersionTable::serialize(std::string& out) const {
  std::vector<std::int32_t> order;
  for (std::int32_t entity = 0; entity < keys_.size(); ++entity)
    if (!versions_[static_cast<std::size_t>(entity)].empty()) order.push_back(entity);
  std::ranges::sort(order, {}, [this](std::int32_t entity) { return keys_.key(entity); });
  data::put_u64(out, order.size());
  for (const std::int32_t entity : order) {
    data::put_text(out, keys_.key(entity));
    append_unit(out, entity);
  }
}

void VersionTable::append_unit(std::string& out, std::int32_t entity) const {
  const auto& versions = versions_[static_cast<std::size_t>(entity)];
  data::put_u64(out, versions.size());
  for (const auto& version : versions) {
    data::put_u64(out, static_cast<std::uint64_t>(version.event_time_us));
    data::put_u64(out, static_cast<std::uint64_t>(version.known_us));
    data::put_text(out, version.row);
  }
}

bool VersionTable::take_entity(std::string_view& bytes) {
  std::string_view key;
  if (!Front(bytes).text(key)) return false;
  if (keys_.size() > 0 && key <= keys_.key(keys_.size() - 1)) return false;
  const std::int32_t entity = keys_.intern(key);
  versions_.emplace_back();
  marks_.push_back(0);
  before_change(entity);
  return take_unit(bytes, entity);
}

bool VersionTable::take_unit(std::string_view& bytes, std::int32_t entity) {
  Front front(bytes);
  std::uint64_t count = 0;
  if (!front.u64(count) || count == 0) return false;
  const auto& versions = versions_[static_cast<std::size_t>(entity)];
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t event_time = 0, known = 0;
    std::string_view row;
    if (!front.u64(event_time) || !front.u64(known) || !front.text(row) || !is_row(row, values_))
      return false;
    const auto time = static_cast<std::int64_t>(event_time);
    if (!versions.empty() && versions.back().event_time_us > time) return false;
    add(entity, {time, static_cast<std::int64_t>(known), std::string(row)});
  }
  return true;
}

void VersionTable::clear() {
  keys_ = KeyTable();
  versions_.clear();
  marks_.clear();
  changes_.clear();
  size_ = 0;
}

bool VersionTable::restore(std::string_view& bytes) {
  clear();
  std::uint64_t count = 0;
  bool good = Front(bytes).u64(count);
  for (std::uint64_t i = 0; good && i < count; ++i) good = take_entity(bytes);
  if (!good) clear();
  return good;
}

void VersionTable::track_changes() {
  changes_.track();
  for (std::int32_t entity = 0; entity < keys_.size(); ++entity) before_change(entity);
}

void VersionTable::before_change(std::int32_t entity) {
  auto& mark = marks_[static_cast<std::size_t>(entity)];
  if (changes_.is_noted(mark)) return;
  if (changes_.waits(mark)) capture_entity(entity);
  changes_.note(entity, mark);
}

void VersionTable::capture_entity(std::int32_t entity) {
  scratch_.clear();
  append_unit(scratch_, entity);
  sink_->take_unit(part_, keys_.key(entity), scratch_);
}

void VersionTable::freeze(UnitSink& sink, std::uint32_t part) {
  COEVAL_CHECK(changes_.tracks() && !changes_.capturing());
  sink_ = &sink;
  part_ = part;
  changes_.freeze();
}

bool VersionTable::capture(std::size_t bytes) {
  for (std::size_t captured = 0; captured < bytes;) {
    const std::int32_t* entity = changes_.next();
    if (entity == nullptr) break;
    auto& mark = marks_[static_cast<std::size_t>(*entity)];
    if (!changes_.waits(mark)) continue;
    capture_entity(*entity);
    mark = 0;
    captured += scratch_.size();
  }
  return changes_.end_if_done();
}

void VersionTable::settle(bool kept) {
  const std::vector<std::int32_t> frozen = changes_.settle();
  sink_ = nullptr;
  for (const std::int32_t entity : frozen)
    if (!kept) before_change(entity);
}

bool VersionTable::begin_restore(std::string_view summary) {
  clear();
  return summary.empty();
}

bool VersionTable::restore_unit(std::string_view key, std::string_view bytes) {
  if (keys_.find(key) != KeyTable::kNull) return false;
  const std::int32_t entity = keys_.intern(key);
  versions_.emplace_back();
  marks_.push_back(0);
  return take_unit(bytes, entity) && bytes.empty();
}

}  // namespace coeval::kernel
