#include "kernel/event_index.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/check.h"
#include "data/row_codec.h"
#include "kernel/evaluate.h"
#include "kernel/saturate.h"
#include "kernel/string_table.h"
#include "kernel/varint.h"

namespace coeval::kernel {

namespace {

constexpr std::string_view kIndexMagic = "coeval names 1\n";

// A name as bytes: a string's own, an integer's eight.
std::string name_bytes(const data::Column& ids, std::int64_t row) {
  if (ids.type() == data::Type::string) return std::string(ids.string(row));
  std::string bytes;
  data::put_u64(bytes, static_cast<std::uint64_t>(ids.integer(row)));
  return bytes;
}

exact::Key128 key_of_name(data::Type type, std::string_view bytes) {
  if (type == data::Type::string) return key_of_text(bytes);
  exact::Key128 key;
  data::ByteReader(bytes).u64(key.low);
  return key;
}

bool within(std::int64_t known_us, const std::optional<std::int64_t>& before_us,
            std::int64_t horizon_us) {
  return before_us && saturating_subtract(known_us, *before_us) <= horizon_us;
}

// Moments that may be absent: 0, or 1 and the moment.
void put_moment(std::string& out, const std::optional<std::int64_t>& us) {
  data::put_u8(out, us ? 1 : 0);
  if (us) data::put_u64(out, static_cast<std::uint64_t>(*us));
}

bool read_moment(data::ByteReader& reader, std::int64_t& us) {
  std::uint64_t bits = 0;
  if (!reader.u64(bits)) return false;
  us = static_cast<std::int64_t>(bits);
  return true;
}

bool read_moment(data::ByteReader& reader, std::optional<std::int64_t>& us) {
  std::uint8_t has = 0;
  if (!reader.u8(has) || has > 1) return false;
  if (has == 0) return true;
  us.emplace();
  return read_moment(reader, *us);
}

}  // namespace

exact::Key128 event_name(const data::Column& ids, std::int64_t row) {
  return key_of_name(ids.type(), name_bytes(ids, row));
}

EventIndex::EventIndex(const define::Project& project, int source, Keep keep)
    : project_(project), source_(project.sources[static_cast<std::size_t>(source)]) {
  COEVAL_CHECK(source_.has_names());
  std::set<int> keys;
  for (const define::View& view : project_.views) {
    if (view.source != source) continue;
    keys.insert(view.key_columns.begin(), view.key_columns.end());
    const std::int64_t longest = view.longest_window_us();
    reach_us_ = longest == define::kAllTime
                    ? INT64_MAX
                    : std::max(reach_us_, saturating_add(longest, view.lateness_us));
  }
  key_columns_.assign(keys.begin(), keys.end());
  for (const int column : key_columns_)
    key_schema_.fields.push_back(source_.schema.fields[static_cast<std::size_t>(column)]);
  if (keep == Keep::everything) reach_us_ = INT64_MAX;
}

data::Batch EventIndex::keys_of(const data::Batch& rows) const {
  data::Batch keys;
  keys.schema = key_schema_;
  keys.rows = rows.rows;
  for (const int column : key_columns_)
    keys.columns.push_back(rows.columns[static_cast<std::size_t>(column)]);
  return keys;
}

Amendments EventIndex::take(const data::Batch& rows, std::span<const std::int64_t> known_us,
                            Undo undo) {
  std::vector<std::int64_t> order(known_us.size());
  std::iota(order.begin(), order.end(), 0);
  notes_changes_ = undo == Undo::yes;
  return take_in_order(rows, known_us, order);
}

Amendments EventIndex::take(const data::Batch& rows, std::span<const std::int64_t> known_us,
                            std::span<const std::int64_t> order) {
  notes_changes_ = false;
  return take_in_order(rows, known_us, order);
}

Amendments EventIndex::take_in_order(const data::Batch& rows,
                                     std::span<const std::int64_t> known_us,
                                     std::span<const std::int64_t> order) {
  constexpr std::size_t kRowsBetweenForgetting = 1024;
  changes_.clear();
  now_before_.clear();
  forget();
  const auto column = [&](int index) -> const data::Column& {
    return rows.columns[static_cast<std::size_t>(index)];
  };
  const define::Identity& identity = source_.identity;
  const data::Batch keys = keys_of(rows);
  EvaluationCounts counts;
  const data::Column deleted =
      identity.deleted ? evaluate(*identity.deleted, rows, {}, counts) : data::Column();
  Amendments out;
  out.roles.resize(order.size());
  out.because_of.assign(order.size(), -1);
  out.takes_back.assign(order.size(), -1);
  out.takes_back_number.assign(order.size(), -1);
  for (place_ = 0; place_ < order.size(); ++place_) {
    const std::int64_t number = order[place_];
    Row row{number, known_us[static_cast<std::size_t>(number)],
            name_bytes(column(identity.id), number), std::nullopt,
            identity.deleted && !deleted.is_null(number) && deleted.bit(number)};
    if (identity.replaces >= 0 && !column(identity.replaces).is_null(number))
      row.replaces = name_bytes(column(identity.replaces), number);
    if (notes_changes_)
      now_before_.push_back(now_us_);
    else if (place_ % kRowsBetweenForgetting == 0)
      forget();
    now_us_ = std::max(now_us_, row.known_us);
    take_row(row, keys, column(source_.time_index).integer(number), out);
  }
  COEVAL_CHECK(decode_taken_back(out).has_value());
  return out;
}

void EventIndex::take_row(const Row& row, const data::Batch& keys, std::int64_t event_time_us,
                          Amendments& out) {
  const Role role = role_of(row, out);
  out.roles[static_cast<std::size_t>(row.number)] = role;
  if (role == Role::duplicate) {
    ++out.counted.duplicates;
    return;
  }
  if (role == Role::deletion) ++out.counted.deletions;
  if (role != Role::deletion && row.replaces) ++out.counted.corrections;
  if (row.replaces) take_back(row, out);
  Entry& entry = change(row.name, row.known_us);
  entry.used_us = row.known_us;
  entry.used_by = row.number;
  entry.live.reset();
  if (counts(role) && source_.has_corrections())
    entry.live = Live{event_time_us, row.known_us, data::encode_row(keys, row.number)};
  watch(row.name, entry);
}

Role EventIndex::role_of(const Row& row, Amendments& out) const {
  const bool replaces_itself = row.replaces && *row.replaces == row.name;
  const Entry* entry = replaces_itself ? nullptr : find(row.name, row.known_us);
  const std::int64_t dedup_us = source_.identity.dedup_us;
  std::int64_t& because_of = out.because_of[static_cast<std::size_t>(row.number)];
  if (entry != nullptr && within(row.known_us, entry->used_us, dedup_us)) {
    because_of = entry->used_by;
    return Role::duplicate;
  }
  if (row.deleted) return Role::deletion;
  if (entry != nullptr && within(row.known_us, entry->named_us, dedup_us)) {
    because_of = entry->named_by;
    return Role::replaced;
  }
  return row.replaces ? Role::correction : Role::event;
}

void EventIndex::take_back(const Row& row, Amendments& out) {
  const auto at = static_cast<std::size_t>(row.number);
  Entry& entry = change(*row.replaces, row.known_us);
  if (entry.live) {
    out.takes_back[at] = static_cast<std::int64_t>(out.names.size());
    out.takes_back_number[at] = entry.used_by;
    out.names.push_back(key_of_name(
        source_.schema.fields[static_cast<std::size_t>(source_.identity.id)].type, *row.replaces));
    out.event_time_us.push_back(entry.live->event_time_us);
    out.known_us.push_back(entry.live->known_us);
    taken_back_keys_.push_back(std::move(entry.live->keys));
    entry.live.reset();
  } else {
    ++out.counted.unmatched;
  }
  if (*row.replaces != row.name) {
    entry.named_us = row.known_us;
    entry.named_by = row.number;
  }
  watch(*row.replaces, entry);
}

Status EventIndex::decode_taken_back(Amendments& out) {
  std::vector<data::ColumnBuilder> builders;
  for (const auto& field : key_schema_.fields) builders.emplace_back(field.type);
  for (const std::string& keys : taken_back_keys_)
    COEVAL_TRY(data::decode_row(keys, key_schema_, builders));
  out.taken_back.schema = key_schema_;
  out.taken_back.rows = static_cast<std::int64_t>(taken_back_keys_.size());
  for (auto& builder : builders) out.taken_back.columns.push_back(builder.finish());
  taken_back_keys_.clear();
  return {};
}

std::int64_t EventIndex::due_us(const Entry& entry) const {
  std::int64_t due = INT64_MIN;
  const std::int64_t dedup_us = source_.identity.dedup_us;
  if (entry.used_us) due = std::max(due, saturating_add(*entry.used_us, dedup_us));
  if (entry.named_us) due = std::max(due, saturating_add(*entry.named_us, dedup_us));
  if (entry.live) due = std::max(due, saturating_add(entry.live->event_time_us, reach_us_));
  return due;
}

// What is due counts as forgotten, whether or not it is yet.
const EventIndex::Entry* EventIndex::find(const std::string& name, std::int64_t now_us) const {
  const auto found = entries_.find(name);
  return found == entries_.end() || due_us(found->second) < now_us ? nullptr : &found->second;
}

// The entry of a name, made where there is none; what was there before is noted.
EventIndex::Entry& EventIndex::change(const std::string& name, std::int64_t now_us) {
  const auto [at, fresh] = entries_.try_emplace(name);
  if (notes_changes_)
    changes_.push_back({place_, name, fresh ? std::nullopt : std::optional(at->second)});
  before_change(at->first, at->second, fresh);
  if (due_us(at->second) < now_us) {
    const auto mark = at->second.changed;
    at->second = {};
    at->second.changed = mark;
  }
  return at->second;
}

void EventIndex::watch(const std::string& name, const Entry& entry) {
  if (due_us(entry) != INT64_MAX) due_.emplace(due_us(entry), name);
}

void EventIndex::forget() {
  // A capture of a moment past may still need what is due by now.
  const std::int64_t now_us = tracked_.capturing() ? frozen_now_us_ : now_us_;
  while (!due_.empty() && due_.top().first < now_us) {
    const auto found = entries_.find(due_.top().second);
    due_.pop();
    if (found == entries_.end() || due_us(found->second) >= now_us) continue;
    tracked_.note_gone(found->first);
    entries_.erase(found);
  }
}

void EventIndex::untake(std::size_t from) {
  for (; !changes_.empty() && changes_.back().place >= from; changes_.pop_back()) {
    Change& last = changes_.back();
    if (last.before) {
      Entry& entry = entries_[last.name];
      last.before->changed = entry.changed;
      watch(last.name, entry = std::move(*last.before));
    } else {
      entries_.erase(last.name);
    }
  }
  if (from < now_before_.size()) now_us_ = now_before_[from];
  now_before_.resize(std::min(from, now_before_.size()));
}

void EventIndex::clear() {
  entries_.clear();
  due_ = {};
  changes_.clear();
  now_before_.clear();
  now_us_ = INT64_MIN;
  tracked_.clear();
}

// Newest known time, count of names, and the names by their bytes, each with its moments and, where
// its event counts, that event's times and keys. What is due is left out.
void EventIndex::serialize(std::string& out) const {
  std::vector<const Entries::value_type*> held;
  for (const auto& named : entries_)
    if (due_us(named.second) >= now_us_) held.push_back(&named);
  std::ranges::sort(held, {}, [](const auto* named) -> const auto& { return named->first; });
  data::put_u64(out, static_cast<std::uint64_t>(now_us_));
  data::put_u64(out, held.size());
  for (const auto* named : held) {
    data::put_text(out, named->first);
    append_entry(out, named->second);
  }
}

void EventIndex::append_entry(std::string& out, const Entry& entry) {
  put_moment(out, entry.used_us);
  put_moment(out, entry.named_us);
  data::put_u8(out, entry.live ? 1 : 0);
  if (!entry.live) return;
  data::put_u64(out, static_cast<std::uint64_t>(entry.live->event_time_us));
  data::put_u64(out, static_cast<std::uint64_t>(entry.live->known_us));
  data::put_text(out, entry.live->keys);
}

bool EventIndex::read_entry(data::ByteReader& reader, Entry& entry) const {
  std::uint8_t live = 0;
  if (!read_moment(reader, entry.used_us) || !read_moment(reader, entry.named_us) ||
      !reader.u8(live) || live > 1)
    return false;
  if (live == 0) return true;
  std::string_view keys;
  entry.live.emplace();
  std::vector<data::ColumnBuilder> builders;
  for (const auto& field : key_schema_.fields) builders.emplace_back(field.type);
  if (!read_moment(reader, entry.live->event_time_us) ||
      !read_moment(reader, entry.live->known_us) || !reader.text(keys) ||
      !data::decode_row(keys, key_schema_, builders))
    return false;
  entry.live->keys = keys;
  return true;
}

bool EventIndex::restore(std::string_view& bytes) {
  clear();
  data::ByteReader reader(bytes);
  std::uint64_t count = 0;
  bool good = read_moment(reader, now_us_) && reader.u64(count) && count <= bytes.size();
  std::string_view before;
  for (std::uint64_t i = 0; good && i < count; ++i) {
    std::string_view name;
    Entry entry;
    good = reader.text(name) && (i == 0 || before < name) && read_entry(reader, entry);
    good = good && due_us(entry) >= now_us_;
    before = name;
    if (!good) break;
    Entry& held = entries_[std::string(name)] = std::move(entry);
    watch(std::string(name), held);
    before_change(std::string(name), held, true);
  }
  if (!good) clear();
  bytes.remove_prefix(bytes.size() - reader.remaining());
  return good;
}

EventIndexes::EventIndexes(const define::Project& project) : project_(project) {
  for (std::size_t i = 0; i < project.sources.size(); ++i)
    if (project.sources[i].has_names())
      indexes_.emplace(
          static_cast<int>(i),
          std::make_unique<EventIndex>(project, static_cast<int>(i), EventIndex::Keep::needed));
}

EventIndex* EventIndexes::of(int source) const {
  const auto found = indexes_.find(source);
  return found == indexes_.end() ? nullptr : found->second.get();
}

std::string EventIndexes::serialize() const {
  std::string out(kIndexMagic);
  for (const auto& [source, index] : indexes_) {
    data::put_text(out, project_.sources[static_cast<std::size_t>(source)].name);
    index->serialize(out);
  }
  return out;
}

Status EventIndexes::restore(std::string_view bytes) {
  bool good = bytes.starts_with(kIndexMagic);
  bytes.remove_prefix(good ? kIndexMagic.size() : 0);
  for (const auto& [source, index] : indexes_) {
    data::ByteReader reader(bytes);
    std::string_view name;
    good = good && reader.text(name) &&
           name == project_.sources[static_cast<std::size_t>(source)].name;
    bytes.remove_prefix(good ? bytes.size() - reader.remaining() : 0);
    good = good && index->restore(bytes);
  }
  if (good && bytes.empty()) return {};
  for (const auto& [source, index] : indexes_) {
    std::string_view nothing;
    (void)index->restore(nothing);
  }
  return fail(Code::snapshot_corrupt,
              "the names of events cannot be read back, or belong to another definition",
              "the state is rebuilt from the log");
}

std::vector<NamedPart> EventIndexes::state_parts() const {
  std::vector<NamedPart> parts;
  for (const auto& [source, index] : indexes_)
    parts.push_back(
        {"names " + project_.sources[static_cast<std::size_t>(source)].name, index.get()});
  return parts;
}

std::vector<NamedPart> state_parts(Kernel& kernel, const EventIndexes& names) {
  std::vector<NamedPart> parts = kernel.state_parts();
  for (NamedPart& part : names.state_parts()) parts.push_back(std::move(part));
  return parts;
}

// Where events have names: how long their index is, the index, the kernel's state.
std::string serialize_state(const Kernel& kernel, const EventIndexes& names) {
  if (names.empty()) return kernel.serialize();
  const std::string index = names.serialize();
  std::string out;
  data::put_u64(out, index.size());
  return out + index + kernel.serialize();
}

Status restore_state(std::string_view bytes, Kernel& kernel, EventIndexes& names) {
  if (names.empty()) return kernel.restore(bytes);
  data::ByteReader reader(bytes);
  std::uint64_t size = 0;
  std::string_view index;
  const bool good = reader.u64(size) && reader.bytes(static_cast<std::size_t>(size), index);
  Status restored = names.restore(good ? index : std::string_view());
  const std::string_view rest = bytes.substr(bytes.size() - reader.remaining());
  if (Status state = kernel.restore(restored ? rest : std::string_view()); restored) {
    if (!state) (void)names.restore({});
    restored = std::move(state);
  }
  return restored;
}

}  // namespace coeval::kernel
