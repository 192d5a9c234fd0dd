// Sealed segments.
//
// A segment that is closed, that is, never written again, is given tables beside it: for each
// source and schema of its events one file
//
//    sealed/SOURCE/NNNNNNNNNNNNNNNNNNNN-TTTTTTTT.parquet
//
// after the first position of the segment and the schema's tag. Its columns are those of the
// schema, then `_position` and `_known`; its rows are in order of event time (the schema's first
// column), then position. When all of them have been read back and found to hold every bit that the
// segment holds, the file
//
//    sealed/NNNNNNNNNNNNNNNNNNNN.sealed
//
// is written: one line of JSON with the counts of the segment and the sha256 of each table, and its
// CRC32C in eight hexadecimal digits. Without that file the segment is not sealed, whatever tables
// are there. The segment itself stays what it was: the log is read from segments only, the tables
// are for everyone else. (docs/adr/0012)

#include "stores/sealed_files.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <system_error>

#include "data/hash.h"
#include "data/row_codec.h"
#include "stores/files.h"
#include "stores/record_names.h"

namespace coeval::stores {

namespace {

constexpr std::int64_t kPieceRows = 1 << 17;
constexpr int kCompression = 3;  // of zstd

std::string digits_of(Position position) {
  std::string name = segment_name(position);  // "log-…….seg"
  return name.substr(4, 20);
}

std::string sealed_folder(const std::string& log_folder) { return log_folder + "/sealed"; }

std::string note_path(const std::string& log_folder, Position first) {
  return sealed_folder(log_folder) + "/" + digits_of(first) + ".sealed";
}

// The events of one source and schema, as the segment has them.
struct EventGroup {
  const LogSchema* schema = nullptr;
  std::vector<std::int64_t> positions, known_us, event_us;
  std::string bytes;              // rows, one after another
  std::vector<std::size_t> ends;  // of each row in bytes
  std::vector<data::ColumnBuilder> builders;

  std::string_view row(std::size_t at) const {
    const std::size_t begin = at == 0 ? 0 : ends[at - 1];
    return std::string_view(bytes).substr(begin, ends[at] - begin);
  }
};

data::Schema table_schema(const data::Schema& schema) {
  const SealedColumns names = sealed_columns(schema);
  data::Schema table = schema;
  table.fields.push_back({names.position, data::Type::int64, false});
  table.fields.push_back({names.known, data::Type::timestamp, false});
  return table;
}

data::Column integers(data::Type type, const std::vector<std::int64_t>& values) {
  data::ColumnBuilder builder(type);
  builder.reserve(static_cast<std::int64_t>(values.size()));
  for (const std::int64_t value : values) builder.append_integer(value);
  return builder.finish();
}

class Sealer {
 public:
  Sealer(const std::string& folder, const LogSegment& segment,
         const std::vector<LogSchema>& schemas, TableFiles& tables)
      : folder_(folder), segment_(segment), tables_(tables) {
    for (const LogSchema& schema : schemas)
      by_tags_.emplace(std::pair{source_tag(schema.source), schema.tag}, &schema);
    sealed_.first = sealed_.next = segment.first;
  }

  Result<SealedSegment> run() {
    COEVAL_TRY(read_segment());
    for (auto& [tags, group] : groups_) COEVAL_TRY(write_table(group));
    std::ranges::sort(sealed_.files, {}, &SealedFile::path);
    COEVAL_TRY(make_folders(sealed_folder(folder_)));
    COEVAL_TRY(write_file_atomically(note_path(folder_, sealed_.first), encode_sealed(sealed_)));
    return std::move(sealed_);
  }

 private:
  Status read_segment() {
    Status failed;
    COEVAL_TRY(
        read_records({&segment_, 1}, segment_.first, std::nullopt, [&](const Record& record) {
          failed = take(record);
          return failed.has_value();
        }));
    return failed;
  }

  Status take(const Record& record) {
    sealed_.next = Position{record.position.value + 1};
    sealed_.last_known = record.known;
    if (record.kind == RecordKind::prediction) {
      ++sealed_.predictions;
      sealed_.newest_prediction_us = record.known.us;
      return {};
    }
    if (record.kind != RecordKind::event) {
      ++sealed_.others;
      return {};
    }
    const std::pair tags{record.source, record.schema_version};
    const auto schema = by_tags_.find(tags);
    if (schema == by_tags_.end()) {
      ++sealed_.unsealed;
      return {};
    }
    EventGroup& group = groups_[tags];
    if (group.schema == nullptr) {
      group.schema = schema->second;
      for (const auto& field : group.schema->schema.fields) group.builders.emplace_back(field.type);
    }
    COEVAL_TRY(data::decode_row(record.payload, group.schema->schema, group.builders));
    group.bytes += record.payload;
    group.ends.push_back(group.bytes.size());
    group.positions.push_back(static_cast<std::int64_t>(record.position.value));
    group.known_us.push_back(record.known.us);
    return {};
  }

  Status write_table(EventGroup& group) {
    data::Batch rows{table_schema(group.schema->schema), {}, 0};
    rows.rows = static_cast<std::int64_t>(group.positions.size());
    for (auto& builder : group.builders) rows.columns.push_back(builder.finish());
    rows.columns.push_back(integers(data::Type::int64, group.positions));
    rows.columns.push_back(integers(data::Type::timestamp, group.known_us));
    const std::vector<std::int64_t> order = by_event_time(rows.columns.front());
    SealedFile file = describe(group, rows.columns.front());
    const std::string path = folder_ + "/" + file.path;
    COEVAL_TRY(make_folders(folder_of(path)));
    COEVAL_TRY(write_rows(path, rows, order));
    rows = {};
    COEVAL_TRY(compare(path, group, order));
    COEVAL_ASSIGN(file.sha256, data::sha256_of_file(path));
    sealed_.files.push_back(std::move(file));
    return {};
  }

  static std::vector<std::int64_t> by_event_time(const data::Column& time) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(time.size()));
    std::iota(order.begin(), order.end(), 0);
    const auto key = [&](std::int64_t row) {
      return time.is_null(row) ? INT64_MIN : time.integer(row);
    };
    if (time.type() == data::Type::timestamp) std::ranges::stable_sort(order, {}, key);
    return order;
  }

  SealedFile describe(const EventGroup& group, const data::Column& time) const {
    SealedFile file;
    file.source = group.schema->source;
    file.schema = group.schema->tag;
    file.path = "sealed/" + file.source + "/" + digits_of(segment_.first) + "-" + tag_text(file.schema) +
                ".parquet";
    file.rows = time.size();
    file.oldest_known_us = group.known_us.front();
    file.newest_known_us = group.known_us.back();
    file.newest_event_us = group.known_us.back();  // when the first column is no time
    if (time.type() != data::Type::timestamp) return file;
    file.newest_event_us = INT64_MIN;
    for (std::int64_t row = 0; row < time.size(); ++row)
      if (!time.is_null(row))
        file.newest_event_us = std::max(file.newest_event_us, time.integer(row));
    return file;
  }

  Status write_rows(const std::string& path, const data::Batch& rows,
                    const std::vector<std::int64_t>& order) {
    COEVAL_ASSIGN(
        const auto writer,
        tables_.create(path, rows.schema, {.compression_level = kCompression, .threads = 1}));
    const std::span<const std::int64_t> all(order);
    for (std::size_t begin = 0; begin < all.size(); begin += kPieceRows)
      COEVAL_TRY(writer->write(data::take(
          rows, all.subspan(begin, std::min<std::size_t>(kPieceRows, all.size() - begin)))));
    return writer->close();
  }

  // Every row of the table against the bytes that the segment has.
  Status compare(const std::string& path, const EventGroup& group,
                 const std::vector<std::int64_t>& order) {
    ReadOptions options;
    options.threads = 1;
    COEVAL_ASSIGN(const auto reader, tables_.open(path, options));
    std::size_t at = 0;
    std::string bytes;
    for (;;) {
      COEVAL_ASSIGN(data::Batch rows, reader->next());
      if (rows.rows == 0) break;
      const std::size_t fields = group.schema->schema.fields.size();
      if (rows.columns.size() != fields + 2 ||
          at + static_cast<std::size_t>(rows.rows) > order.size())
        return differs(path, at);
      const data::Column known = std::move(rows.columns.back());
      rows.columns.pop_back();
      const data::Column positions = std::move(rows.columns.back());
      rows.columns.pop_back();
      for (std::int64_t row = 0; row < rows.rows; ++row, ++at) {
        const auto original = static_cast<std::size_t>(order[at]);
        bytes.clear();
        data::append_row(bytes, rows, row);
        if (bytes != group.row(original) || positions.integer(row) != group.positions[original] ||
            known.integer(row) != group.known_us[original])
          return differs(path, at);
      }
    }
    return at == order.size() ? Status{} : differs(path, at);
  }

  static Status differs(const std::string& path, std::size_t row) {
    return fail(
        Code::internal,
        "'" + path + "' was read back and differs from the log in row " + std::to_string(row),
        "the segment stays as it is and is not sealed; try again, and examine the disk");
  }

  const std::string& folder_;
  const LogSegment& segment_;
  TableFiles& tables_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, const LogSchema*> by_tags_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, EventGroup> groups_;
  SealedSegment sealed_;
};

}  // namespace

SealedColumns sealed_columns(const data::Schema& schema) {
  SealedColumns names;
  for (std::string* name : {&names.position, &names.known})
    while (schema.index_of(*name) >= 0) name->insert(0, "_");
  return names;
}

Result<SealedSegment> seal_segment(const std::string& log_folder, const LogSegment& segment,
                                   const std::vector<LogSchema>& schemas, TableFiles& tables) {
  auto sealed = Sealer(log_folder, segment, schemas, tables).run();
  if (!sealed)
    return std::unexpected(std::move(sealed).error().within("while sealing '" + segment.path +
                                                            "', which stays as it is"));
  return sealed;
}

Result<SealReport> seal_closed_segments(const std::string& log_folder, TableFiles& tables) {
  SealReport report;
  COEVAL_TRY(make_folders(sealed_folder(log_folder)));
  COEVAL_ASSIGN(const FileLock lock, FileLock::acquire(sealed_folder(log_folder) + "/lock"));
  COEVAL_ASSIGN(const auto schemas, read_log_schemas(log_folder));
  COEVAL_ASSIGN(const auto done, list_sealed(log_folder));
  COEVAL_ASSIGN(const SegmentFiles files, find_segments(log_folder));
  if (files.segments.empty()) return report;
  report.open_from = files.segments.back().first;
  for (std::size_t i = 0; i + 1 < files.segments.size(); ++i) {
    if (find_sealed(done, files.segments[i].first, files.segments[i + 1].first) != nullptr) {
      ++report.already;
      continue;
    }
    COEVAL_ASSIGN(auto sealed, seal_segment(log_folder, files.segments[i], schemas, tables));
    ++report.sealed;
    for (const SealedFile& file : sealed.files) report.rows += file.rows;
    report.segments.push_back(std::move(sealed));
  }
  return report;
}

Result<std::vector<SealedSegment>> list_sealed(const std::string& log_folder,
                                               std::vector<std::string>* damaged) {
  std::vector<SealedSegment> all;
  const std::string folder = sealed_folder(log_folder);
  std::error_code failed;
  if (!std::filesystem::exists(folder, failed)) return all;
  std::filesystem::directory_iterator entries(folder, failed);
  if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
  for (const std::filesystem::directory_iterator end; entries != end; entries.increment(failed)) {
    if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
    const std::string path = entries->path().string();
    if (!path.ends_with(".sealed")) continue;
    COEVAL_ASSIGN(const std::string text, read_file(path));
    auto sealed = decode_sealed(text);
    if (sealed)
      all.push_back(std::move(*sealed));
    else if (damaged != nullptr)
      damaged->push_back(path);
  }
  std::ranges::sort(all, {}, &SealedSegment::first);
  return all;
}

const SealedSegment* find_sealed(const std::vector<SealedSegment>& sealed, Position first,
                                 Position next) {
  const auto at = std::ranges::find(sealed, first, &SealedSegment::first);
  return at == sealed.end() || at->next != next ? nullptr : &*at;
}

Result<std::vector<std::string>> check_sealed(const std::string& log_folder,
                                              const SealedSegment& sealed,
                                              const EventCounts& counts) {
  std::vector<std::string> problems;
  EventCounts left = counts;
  for (const SealedFile& file : sealed.files) {
    const std::string path = log_folder + "/" + file.path;
    const auto sha256 = data::sha256_of_file(path);
    if (!sha256 && sha256.error().code != Code::no_such_file)
      return std::unexpected(sha256.error());
    if (!sha256)
      problems.push_back("'" + path + "' is gone");
    else if (*sha256 != file.sha256)
      problems.push_back("'" + path + "' has other bytes than were written");
    const auto count = left.find({source_tag(file.source), file.schema});
    const std::int64_t events = count == left.end() ? 0 : count->second;
    if (events != file.rows)
      problems.push_back("'" + path + "' has " + std::to_string(file.rows) +
                         " rows, the segment has " + std::to_string(events) + " such events");
    if (count != left.end()) left.erase(count);
  }
  std::int64_t without = 0;
  for (const auto& [tags, events] : left) without += events;
  if (without != sealed.unsealed)
    problems.push_back(std::to_string(without) + " events of the segment from position " +
                       std::to_string(sealed.first.value) + " on are in no table");
  return problems;
}

namespace {

std::vector<std::string> paths_of(const std::string& log_folder, const SealedSegment& sealed) {
  // The note first: without it the tables are nothing that anybody counts on.
  std::vector<std::string> paths = {note_path(log_folder, sealed.first)};
  for (const SealedFile& file : sealed.files) paths.push_back(log_folder + "/" + file.path);
  return paths;
}

}  // namespace

Result<std::string> set_sealed_aside(const std::string& log_folder, const SealedSegment& sealed) {
  const std::string to = log_folder + "/quarantine/sealed-" + digits_of(sealed.first);
  COEVAL_TRY(make_folders(to));
  for (const std::string& path : paths_of(log_folder, sealed)) {
    const std::filesystem::path from(path);
    std::string name = from.filename().string();
    if (name.ends_with(".parquet")) name = from.parent_path().filename().string() + "-" + name;
    std::error_code failed;
    if (!std::filesystem::exists(from, failed)) continue;
    std::filesystem::rename(from, to + "/" + name, failed);
    if (failed) return std::unexpected(error_from_errno(failed.value(), "move", path));
  }
  return to;
}

namespace {

// The position that the name of a table or a note begins with.
std::optional<Position> position_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const bool ours = name.ends_with(".parquet") || name.ends_with(".sealed");
  if (!ours || name.size() < 20) return std::nullopt;
  return parse_segment_name("log-" + name.substr(0, 20) + ".seg");
}

Status remove_file(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::remove(path, failed);
  if (failed) return std::unexpected(error_from_errno(failed.value(), "remove", path.string()));
  return {};
}

}  // namespace

Status remove_before(const std::string& log_folder, Position first) {
  COEVAL_ASSIGN(const SegmentFiles files, find_segments(log_folder));
  for (const LogSegment& segment : files.left_over)
    if (segment.first < first) COEVAL_TRY(remove_file(segment.path));
  std::error_code failed;
  std::filesystem::recursive_directory_iterator entries(sealed_folder(log_folder), failed);
  if (failed == std::errc::no_such_file_or_directory) return {};
  std::vector<std::filesystem::path> old;
  for (const std::filesystem::recursive_directory_iterator end; !failed && entries != end;
       entries.increment(failed))
    if (const auto position = position_of(entries->path()); position && *position < first)
      old.push_back(entries->path());
  if (failed)
    return std::unexpected(
        error_from_errno(failed.value(), "read folder", sealed_folder(log_folder)));
  for (const auto& path : old) COEVAL_TRY(remove_file(path));
  return {};
}

}  // namespace coeval::stores
