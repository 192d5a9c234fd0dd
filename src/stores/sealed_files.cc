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
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>

#include "base/stable_order.h"
#include "base/worker_pool.h"
#include "data/hash.h"
#include "data/row_block.h"
#include "data/row_columns.h"
#include "stores/files.h"
#include "stores/record_names.h"

namespace coeval::stores {

namespace {

constexpr std::size_t kPieceRows = 1 << 17;
// So many rows at a time are written anew and compared: their bytes stay in the nearer caches.
constexpr std::size_t kComparedRows = 1024;
constexpr std::size_t kRowsAhead = 16;  // the processor cannot foresee where rows lie
constexpr std::size_t kChunkBytes = std::size_t{4} << 20;
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
  std::vector<std::int64_t> positions, known_us;
  std::vector<std::int64_t> event_us;  // INT64_MIN where there is none
  std::vector<std::string_view> rows;  // their bytes, in chunks that never move
  std::vector<std::string> chunks;

  void keep(std::string_view row) {
    if (chunks.empty() || chunks.back().capacity() - chunks.back().size() < row.size())
      chunks.emplace_back().reserve(std::max(kChunkBytes, row.size()));
    std::string& chunk = chunks.back();
    const std::size_t at = chunk.size();
    chunk.append(row);
    rows.push_back(std::string_view(chunk).substr(at));
  }
};

bool has_event_time(const data::Schema& schema) {
  return schema.fields.front().type == data::Type::timestamp;
}

// The first column of a row, where that is a time. A row that is cut short has none, and will not
// be decoded.
std::int64_t event_time_of(std::string_view row, const data::Schema& schema) {
  std::int64_t time_us = INT64_MIN;
  const std::size_t at = (schema.fields.size() + 7) / 8;
  const bool is_there = has_event_time(schema) && row.size() >= at + sizeof time_us &&
                        (static_cast<unsigned char>(row.front()) & 1) == 0;
  if (is_there) std::memcpy(&time_us, row.data() + at, sizeof time_us);
  return time_us;
}

data::Schema table_schema(const data::Schema& schema) {
  const SealedColumns names = sealed_columns(schema);
  data::Schema table = schema;
  table.fields.push_back({names.position, data::Type::int64, false});
  table.fields.push_back({names.known, data::Type::timestamp, false});
  return table;
}

// The values of the rows in `order`.
data::Column integers(data::Type type, const std::vector<std::int64_t>& values,
                      std::span<const std::int64_t> order) {
  data::ColumnBuilder builder(type);
  builder.reserve(std::ssize(order));
  for (const std::int64_t row : order)
    builder.append_integer(values[static_cast<std::size_t>(row)]);
  return builder.finish();
}

class Sealer {
 public:
  Sealer(const std::string& folder, const LogSegment& segment,
         const std::vector<LogSchema>& schemas, TableFiles& tables, int threads)
      : folder_(folder),
        segment_(segment),
        tables_(tables),
        threads_(std::max(threads, 1)),
        pool_(threads_) {
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
    group.schema = schema->second;
    group.keep(record.payload);
    group.event_us.push_back(event_time_of(record.payload, group.schema->schema));
    group.positions.push_back(static_cast<std::int64_t>(record.position.value));
    group.known_us.push_back(record.known.us);
    return {};
  }

  Status write_table(const EventGroup& group) {
    // Rows of one time as they stand in the segment.
    const std::vector<std::int64_t> order = stable_order(group.event_us);
    SealedFile file = describe(group);
    const std::string path = folder_ + "/" + file.path;
    COEVAL_TRY(make_folders(folder_of(path)));
    COEVAL_TRY(write_rows(path, group, order));
    COEVAL_TRY(compare(path, group, order));
    COEVAL_ASSIGN(file.sha256, data::sha256_of_file(path));
    sealed_.files.push_back(std::move(file));
    return {};
  }

  SealedFile describe(const EventGroup& group) const {
    SealedFile file;
    file.source = group.schema->source;
    file.schema = group.schema->tag;
    file.path = "sealed/" + file.source + "/" + digits_of(segment_.first) + "-" +
                tag_text(file.schema) + ".parquet";
    file.rows = std::ssize(group.rows);
    file.oldest_known_us = group.known_us.front();
    file.newest_known_us = group.known_us.back();
    file.newest_event_us = has_event_time(group.schema->schema) ? std::ranges::max(group.event_us)
                                                                : group.known_us.back();
    return file;
  }

  // As many pieces as there are threads are decoded at once, and written in order.
  Status write_rows(const std::string& path, const EventGroup& group,
                    std::span<const std::int64_t> order) {
    COEVAL_ASSIGN(const auto writer,
                  tables_.create(path, table_schema(group.schema->schema),
                                 {.compression_level = kCompression,
                                  .threads = threads_,
                                  .metadata = {{"coeval.source", group.schema->source},
                                               {"coeval.schema", tag_text(group.schema->tag)}}}));
    const std::size_t pieces = (order.size() + kPieceRows - 1) / kPieceRows;
    const auto at_once = static_cast<std::size_t>(threads_);
    for (std::size_t first = 0; first < pieces; first += at_once) {
      std::vector<std::optional<Result<data::Batch>>> decoded(std::min(at_once, pieces - first));
      pool_.run(decoded.size(), [&](std::size_t i) {
        const auto rest = order.subspan((first + i) * kPieceRows);
        decoded[i] = decode(group, rest.first(std::min(kPieceRows, rest.size())));
      });
      for (auto& piece : decoded) {
        COEVAL_ASSIGN(const data::Batch rows, std::move(*piece));
        COEVAL_TRY(writer->write(rows));
        piece.reset();
      }
    }
    return writer->close();
  }

  static Result<data::Batch> decode(const EventGroup& group, std::span<const std::int64_t> order) {
    const data::Schema& schema = group.schema->schema;
    data::Batch rows{table_schema(schema), {}, std::ssize(order)};
    COEVAL_ASSIGN(rows.columns, data::decode_rows(group.rows, order, schema));
    rows.columns.push_back(integers(data::Type::int64, group.positions, order));
    rows.columns.push_back(integers(data::Type::timestamp, group.known_us, order));
    return rows;
  }

  // Every row of the table against the bytes that the segment has.
  Status compare(const std::string& path, const EventGroup& group,
                 std::span<const std::int64_t> order) {
    ReadOptions options;
    options.threads = threads_;
    COEVAL_ASSIGN(const auto reader, tables_.open(path, options));
    std::size_t at = 0;
    for (;;) {
      COEVAL_ASSIGN(data::Batch rows, reader->next());
      if (rows.rows == 0) break;
      const std::size_t fields = group.schema->schema.fields.size();
      const auto count = static_cast<std::size_t>(rows.rows);
      if (rows.columns.size() != fields + 2 || count > order.size() - at) return differs(path, at);
      const std::size_t same = rows_that_agree(std::move(rows), group, order.subspan(at, count));
      at += same;
      if (same < count) return differs(path, at);
    }
    return at == order.size() ? Status{} : differs(path, at);
  }

  // How many of the rows in front are, bit for bit, those of the group in `order`.
  std::size_t rows_that_agree(data::Batch rows, const EventGroup& group,
                              std::span<const std::int64_t> order) {
    const data::Column known = std::move(rows.columns.back());
    rows.columns.pop_back();
    const data::Column positions = std::move(rows.columns.back());
    rows.columns.pop_back();
    const std::size_t blocks = (order.size() + kComparedRows - 1) / kComparedRows;
    std::vector<std::size_t> agree(blocks);
    pool_.run(blocks, [&](std::size_t block) {
      const std::size_t begin = block * kComparedRows;
      const auto mine = order.subspan(begin, std::min(kComparedRows, order.size() - begin));
      agree[block] = block_that_agrees(rows, positions, known, group, begin, mine);
    });
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::size_t begin = block * kComparedRows;
      if (agree[block] < std::min(kComparedRows, order.size() - begin)) return begin + agree[block];
    }
    return order.size();
  }

  // The same of the rows from `first` on.
  static std::size_t block_that_agrees(const data::Batch& rows, const data::Column& positions,
                                       const data::Column& known, const EventGroup& group,
                                       std::size_t first, std::span<const std::int64_t> order) {
    const auto begin = static_cast<std::int64_t>(first);
    std::vector<std::size_t> sizes;
    data::measure_rows(rows, begin, begin + std::ssize(order), sizes);
    std::size_t bytes_count = 0;
    for (const std::size_t size : sizes) bytes_count += size;
    std::string bytes(bytes_count, '\0');
    data::write_rows(bytes.data(), rows, begin, sizes);
    std::string_view rest(bytes);
    for (std::size_t at = 0; at < order.size(); rest.remove_prefix(sizes[at++])) {
      if (at + kRowsAhead < order.size())
        __builtin_prefetch(group.rows[static_cast<std::size_t>(order[at + kRowsAhead])].data());
      const auto row = begin + static_cast<std::int64_t>(at);
      const auto original = static_cast<std::size_t>(order[at]);
      if (rest.substr(0, sizes[at]) != group.rows[original] ||
          positions.integer(row) != group.positions[original] ||
          known.integer(row) != group.known_us[original])
        return at;
    }
    return order.size();
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
  int threads_;
  WorkerPool pool_;
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
                                   const std::vector<LogSchema>& schemas, TableFiles& tables,
                                   int threads) {
  auto sealed = Sealer(log_folder, segment, schemas, tables, threads).run();
  if (!sealed)
    return std::unexpected(std::move(sealed).error().within("while sealing '" + segment.path +
                                                            "', which stays as it is"));
  return sealed;
}

Result<SealReport> seal_closed_segments(const std::string& log_folder, TableFiles& tables,
                                        int threads) {
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
    COEVAL_ASSIGN(auto sealed,
                  seal_segment(log_folder, files.segments[i], schemas, tables, threads));
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
