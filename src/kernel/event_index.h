#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/row_codec.h"
#include "define/project.h"
#include "exact/key_hash.h"
#include "kernel/amendments.h"
#include "kernel/changes.h"
#include "kernel/kernel.h"
#include "kernel/state_part.h"

namespace coeval::kernel {

/// The name of an event as records hold it: an integer itself, of a string its SHA-256, cut.
exact::Key128 event_name(const data::Column& ids, std::int64_t row);

/// The names of one source's events: tells duplicates, and finds the event that a correction or
/// deletion takes back. The one place where names are resolved. (semantics: T7)
///
/// A row with a name that an event was given at most `dedup` before, in known time, is a duplicate,
/// unless it replaces that very name. A row that names another takes back the newest event of that
/// name, if it still counts; and an event of that name that comes at most `dedup` after it, and is
/// no duplicate, is replaced already: so it does not matter which of the two comes first.
///
/// An index may forget an event that is out of every window's reach, and whose name may be used
/// again: taking it back would change nothing. What it then says is the same but for
/// Counts::unmatched.
///
/// Threading: one thread at a time.
class EventIndex final : public StatePart {
 public:
  enum class Keep : std::uint8_t {
    needed,     ///< forgets what no view of the project can need
    everything  ///< all events that count: for a whole history, whose labels know no windows
  };
  /// Whether a take can be undone: it then notes what it changes.
  enum class Undo : std::uint8_t { no, yes };
  /// The source must have an id. The project must outlive it.
  EventIndex(const define::Project& project, int source, Keep keep);

  /// Takes rows of the source's schema in position order, known times not decreasing: `order` are
  /// their row numbers, all of them, each once. Rows are numbered as in the batch.
  Amendments take(const data::Batch& rows, std::span<const std::int64_t> known_us,
                  std::span<const std::int64_t> order);
  /// The same of rows that are in position order.
  Amendments take(const data::Batch& rows, std::span<const std::int64_t> known_us,
                  Undo undo = Undo::no);
  /// Undoes the last take from row `from` on, as if those rows had not come.
  void untake(std::size_t from);

  /// Names held, those included that wait to be forgotten.
  std::size_t size() const { return entries_.size(); }

  /// Canonical bytes: of equal rows in equal order, whatever the batching was. (semantics: A5)
  void serialize(std::string& out) const;
  /// Reads what serialize wrote off the front; false when it is not that, and the index is empty.
  bool restore(std::string_view& bytes);

  // A unit is a name with what is known of it.
  void track_changes() override;
  bool tracks_changes() const override { return tracked_.tracks(); }
  std::string summary() const override;
  void freeze(UnitSink& sink, std::uint32_t part) override;
  bool capture(std::size_t bytes) override;
  void settle(bool kept) override;
  bool begin_restore(std::string_view summary) override;
  bool restore_unit(std::string_view key, std::string_view bytes) override;
  void end_restore() override {}

 private:
  // An event that counts, and can be taken back.
  struct Live {
    std::int64_t event_time_us = 0, known_us = 0;
    std::string keys;  // the row of key columns, encoded
  };
  struct Entry {
    std::optional<std::int64_t> used_us;   // known time of the newest row of this name
    std::optional<std::int64_t> named_us;  // of the newest other row that names it
    std::int64_t used_by = -1, named_by = -1;
    std::optional<Live> live;
    Changes<std::string>::Mark changed = 0;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  Amendments take_in_order(const data::Batch& rows, std::span<const std::int64_t> known_us,
                           std::span<const std::int64_t> order);
  struct Row {
    std::int64_t number, known_us;
    std::string name;
    std::optional<std::string> replaces;
    bool deleted;
  };
  void take_row(const Row& row, const data::Batch& keys, std::int64_t event_time_us,
                Amendments& out);
  Role role_of(const Row& row, Amendments& out) const;
  void take_back(const Row& row, Amendments& out);
  const Entry* find(const std::string& name, std::int64_t now_us) const;
  Entry& change(const std::string& name, std::int64_t now_us);
  // Until when an entry can still matter.
  std::int64_t due_us(const Entry& entry) const;
  void forget();
  void watch(const std::string& name, const Entry& entry);
  void clear();
  // Bytes.
  static void append_entry(std::string& out, const Entry& entry);
  bool read_entry(data::ByteReader& reader, Entry& entry) const;
  // Noting what changes, and capturing it: event_index_capture.cc.
  void before_change(const std::string& name, Entry& entry, bool fresh);
  void capture_entry(const std::string& name, const Entry& entry);
  data::Batch keys_of(const data::Batch& rows) const;
  Status decode_taken_back(Amendments& out);

  const define::Project& project_;
  const define::Source& source_;
  std::vector<int> key_columns_;  // of all views over the source, ascending
  data::Schema key_schema_;
  std::int64_t reach_us_ = 0;  // of the longest window with its lateness

  Entries entries_;
  std::int64_t now_us_ = INT64_MIN;  // known time of the newest row
  using Due = std::pair<std::int64_t, std::string>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;  // at least one for each entry
  // What the last take changed, if it can be undone: the place in its order, and what was there
  // before.
  struct Change {
    std::size_t place;
    std::string name;
    std::optional<Entry> before;
  };
  bool notes_changes_ = false;
  std::vector<Change> changes_;
  std::vector<std::int64_t> now_before_;  // by place
  std::size_t place_ = 0;
  std::vector<std::string> taken_back_keys_;  // of the take that goes on
  Changes<std::string> tracked_;
  std::int64_t frozen_now_us_ = INT64_MIN;  // now_us_ when the capture began
  UnitSink* sink_ = nullptr;                // of the capture
  std::uint32_t part_ = 0;
  std::string scratch_;
};

/// The indexes of a project's sources that have an id.
class EventIndexes {
 public:
  explicit EventIndexes(const define::Project& project);
  /// Null for a source whose events have no names.
  EventIndex* of(int source) const;
  bool empty() const { return indexes_.empty(); }
  /// One part for each source.
  std::vector<NamedPart> state_parts() const;

  std::string serialize() const;
  /// Errors: snapshot_corrupt; all are then empty.
  Status restore(std::string_view bytes);

 private:
  const define::Project& project_;
  std::map<int, std::unique_ptr<EventIndex>> indexes_;
};

/// All parts of a server's state, kernel and names, in an order that the definition alone decides.
std::vector<NamedPart> state_parts(Kernel& kernel, const EventIndexes& names);

/// The bytes of a server's state, kernel and names, and back. Errors: snapshot_corrupt; all of it
/// is then empty.
std::string serialize_state(const Kernel& kernel, const EventIndexes& names);
Status restore_state(std::string_view bytes, Kernel& kernel, EventIndexes& names);

}  // namespace coeval::kernel
