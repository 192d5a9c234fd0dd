#include "replay/history.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <iterator>
#include <limits>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "base/stable_order.h"
#include "data/hash.h"
#include "data/text_tables.h"
#include "kernel/evaluate.h"
#include "quality/json_extraction.h"
#include "replay/conform.h"
#include "replay/versions.h"

namespace coeval::replay {

namespace {

using data::Type;

// One batch of a file; of a text with the lines that its rows began on, and those that were none.
struct Piece {
  data::Batch rows;
  std::vector<std::int64_t> lines;
  std::vector<data::BadTextRow> bad;
};

// Reads one file piece by piece; what is left of each piece goes to `pieces`.
class FileFold {
 public:
  enum class Places { kept, not_kept };
  FileFold(const define::Source& source, const quality::RowChecks& checks, SourceHistory& history,
           Places places = Places::kept)
      : source_(source), checks_(checks), history_(history), places_(places) {}

  Status add(Piece& piece) {
    history_.conservation.read += static_cast<std::int64_t>(piece.bad.size());
    if (places_ == Places::kept)
      lines_.insert(lines_.end(), piece.lines.begin(), piece.lines.end());
    const data::Batch& table = piece.rows;
    COEVAL_ASSIGN(ConformedRows conformed, conform(table, piece.lines, piece.bad, source_));
    // A row whose known time cannot be told may never be used, so it does not enter. (semantics:
    // T1)
    std::vector<std::int64_t> unknown;
    auto known_us = known_times(source_, conformed.rows, &unknown);
    quality::add_unknown(source_, unknown, conformed.unreadable);
    COEVAL_ASSIGN(quality::Screened screened,
                  quality::screen(checks_, source_, conformed.rows, history_.path, 0,
                                  {.arrivals = {}, .unreadable = conformed.unreadable}));
    for (auto& bad : screened.quarantined) keep_bad(std::move(bad), conformed, piece);
    known_us = known_times_of(std::move(known_us), screened.accepted_rows);
    history_.known_us.insert(history_.known_us.end(), known_us.begin(), known_us.end());
    keep_places(screened, conformed, table.rows);
    if (places_ == Places::kept) std::ranges::move(piece.bad, std::back_inserter(unreadable_));
    history_.conservation.read += table.rows;
    first_row_ += table.rows;
    pieces_.push_back(std::move(screened.accepted));
    return {};
  }

  // The rows of the last piece, of which nothing is kept; their known times go to `known_us`.
  data::Batch take_piece(std::vector<std::int64_t>& known_us) {
    known_us = std::exchange(history_.known_us, {});
    history_.quarantined.clear();
    data::Batch piece = std::move(pieces_.back());
    pieces_.pop_back();
    return piece;
  }

  // Text formats know on which line each row began: that is where a person looks.
  void place_by_line() {
    if (lines_.empty()) return;
    history_.by_line = true;
    for (auto& bad : history_.quarantined) bad.row = lines_[static_cast<std::size_t>(bad.row)];
    std::vector<std::int64_t> places;
    for (std::size_t i = 0; i < history_.known_us.size(); ++i)
      places.push_back(
          lines_[static_cast<std::size_t>(history_.place_in_file(static_cast<std::int64_t>(i)))]);
    history_.file_row = std::move(places);
    lines_ = {};
  }

  // Rows of a text file that could be read in part, and lines that are no rows at all: read, and
  // set aside with their bytes.
  void add_unreadable() {
    std::ranges::move(partial_, std::back_inserter(history_.quarantined));
    for (auto& line : unreadable_)
      if (line.values.empty())
        history_.quarantined.push_back({source_.name,
                                        history_.path,
                                        line.line,
                                        std::move(line.raw),
                                        {"format"},
                                        std::move(line.reason)});
    partial_ = {};
    unreadable_ = {};
  }

  Status finish() {
    COEVAL_ASSIGN(history_.rows, data::concatenate(pieces_));
    pieces_.clear();
    if (history_.rows.columns.empty()) history_.rows = empty_rows(source_);
    auto& counts = history_.conservation;
    counts.accepted = history_.rows.rows;
    counts.quarantined = counts.read - counts.accepted;
    return {};
  }

  static data::Batch empty_rows(const define::Source& source) {
    data::Batch batch;
    batch.schema = source.schema;
    for (const auto& field : source.schema.fields)
      batch.columns.push_back(data::ColumnBuilder(field.type).finish());
    return batch;
  }

 private:
  // A row of text that could be read in part keeps its bytes.
  void keep_bad(quality::QuarantinedRow bad, const ConformedRows& conformed, const Piece& piece) {
    const std::int64_t number = conformed.number(bad.row);
    if (number < 0) {
      const data::BadTextRow& text = piece.bad[static_cast<std::size_t>(-1 - number)];
      bad.row = text.line;
      bad.raw = text.raw;
      if (places_ == Places::kept) partial_.push_back(std::move(bad));
      return;
    }
    if (std::ranges::binary_search(conformed.unreadable, bad.row, {},
                                   &quality::UnreadableValue::row))
      bad.raw = data::row_json(piece.rows, number);
    bad.row = first_row_ + number;
    history_.quarantined.push_back(std::move(bad));
  }

  // file_row stays empty while every row so far was kept: most files are clean.
  void keep_places(const quality::Screened& screened, const ConformedRows& conformed,
                   std::int64_t table_rows) {
    if (places_ == Places::not_kept) return;
    const bool clean = screened.accepted.rows == table_rows;
    auto& file_row = history_.file_row;
    if (clean && file_row.empty()) return;
    if (file_row.empty())
      for (std::int64_t row = 0; row < first_row_; ++row) file_row.push_back(row);
    for (std::int64_t i = 0; i < screened.accepted.rows; ++i) {
      const std::int64_t place =
          screened.accepted_rows.empty() ? i : screened.accepted_rows[static_cast<std::size_t>(i)];
      file_row.push_back(first_row_ + conformed.number(place));
    }
  }

  const define::Source& source_;
  const quality::RowChecks& checks_;
  SourceHistory& history_;
  const Places places_;
  std::int64_t first_row_ = 0;
  std::vector<data::Batch> pieces_;
  std::vector<std::int64_t> lines_;  // of text formats, by row of the file
  std::vector<data::BadTextRow> unreadable_;
  std::vector<quality::QuarantinedRow> partial_;
};

Result<Piece> next_piece(stores::TableReader& reader) {
  COEVAL_ASSIGN(data::Batch rows, reader.next());
  const auto lines = reader.lines();
  const auto bad = reader.bad_rows();
  return Piece{std::move(rows), {lines.begin(), lines.end()}, {bad.begin(), bad.end()}};
}

// Hands every batch of a reader on, while the reader decodes the next one.
Status read_all(stores::TableReader& reader, const std::function<Status(Piece&)>& sink) {
  const auto is_end = [](const Result<Piece>& piece) {
    return piece && piece->rows.rows == 0 && piece->bad.empty();
  };
  BoundedQueue<Result<Piece>> pieces(2);
  std::thread decoder([&] {
    while (true) {
      auto piece = next_piece(reader);
      const bool last = !piece || is_end(piece);
      if (!pieces.push(std::move(piece)) || last) return pieces.close();
    }
  });
  Status outcome;
  while (outcome) {
    auto piece = pieces.pop();
    if (!piece || is_end(*piece)) break;
    outcome = *piece ? sink(**piece) : std::unexpected(std::move(*piece).error());
  }
  pieces.close();
  decoder.join();
  return outcome;
}

// Says whether there was anything to leave out.
bool cut(SourceHistory& history, std::int64_t cut_us) {
  std::vector<std::int64_t> keep;
  for (std::size_t i = 0; i < history.known_us.size(); ++i)
    if (history.known_us[i] < cut_us) keep.push_back(static_cast<std::int64_t>(i));
  if (keep.size() == history.known_us.size()) return false;
  std::vector<std::int64_t> known, places;
  for (const std::int64_t row : keep) {
    known.push_back(history.known_us[static_cast<std::size_t>(row)]);
    places.push_back(history.place_in_file(row));
  }
  history.cut_us = cut_us;
  history.after_cut = history.rows.rows - static_cast<std::int64_t>(keep.size());
  history.rows = data::take(history.rows, keep);
  history.known_us = std::move(known);
  history.file_row = std::move(places);
  return true;
}

// What a file holds of the source.
std::vector<std::string> column_names(const define::Source& source) {
  std::vector<std::string> names;
  for (const auto& column : source.columns)
    if (!column.json) names.push_back(column.name);
  return names;
}

Result<std::unique_ptr<stores::TableReader>> open_file(const define::Source& source,
                                                       const OpenFormat& formats,
                                                       const std::string& path) {
  COEVAL_ASSIGN(stores::TableFiles * files, formats(path));
  return open_declared(*files, path, source, {});
}

data::Batch known_before(std::int64_t cut_us, data::Batch rows,
                         const std::vector<std::int64_t>& known_us) {
  std::vector<std::int64_t> keep;
  for (std::size_t i = 0; i < known_us.size(); ++i)
    if (known_us[i] < cut_us) keep.push_back(static_cast<std::int64_t>(i));
  return keep.size() == known_us.size() ? std::move(rows) : data::take(rows, keep);
}

}  // namespace

std::string source_path(const define::Project& project, int source) {
  const auto& path = project.sources[static_cast<std::size_t>(source)].path;
  if (path.empty()) return {};
  const std::filesystem::path given(path);
  if (given.is_absolute()) return path;
  return (std::filesystem::path(project.folder) / given).lexically_normal().string();
}

Result<std::unique_ptr<stores::TableReader>> open_declared(stores::TableFiles& files,
                                                           const std::string& path,
                                                           const define::Source& source,
                                                           stores::ReadOptions options) {
  options.columns = column_names(source);
  options.schema = source.schema;
  options.json_columns = quality::JsonExtraction(source).holders();
  options.delimiter = source.delimiter;
  auto reader = files.open(path, options);
  if (reader || reader.error().code != Code::unknown_key || path == "-") return reader;
  COEVAL_ASSIGN(const std::vector<std::string> there, files.column_names(path));
  std::erase_if(options.columns, [&](const std::string& column) {
    const bool is_nullable =
        source.schema.fields[static_cast<std::size_t>(source.schema.index_of(column))].nullable;
    return is_nullable && std::ranges::find(there, column) == there.end();
  });
  return files.open(path, options);
}

std::vector<std::int64_t> known_times(const define::Source& source, const data::Batch& rows,
                                      std::vector<std::int64_t>* unknown) {
  kernel::EvaluationCounts counts;
  const data::Column known = kernel::evaluate(*source.known, rows, {}, counts);
  const auto values = known.values<std::int64_t>();
  std::vector<std::int64_t> out(values.begin(), values.end());
  if (known.has_nulls() && unknown != nullptr)
    for (std::int64_t row = 0; row < rows.rows; ++row)
      if (known.is_null(row)) unknown->push_back(row);
  return out;
}

std::vector<std::int64_t> known_times_of(std::vector<std::int64_t> known_us,
                                         const std::vector<std::int64_t>& rows) {
  if (rows.size() == known_us.size()) return known_us;
  for (std::size_t i = 0; i < rows.size(); ++i)
    known_us[i] = known_us[static_cast<std::size_t>(rows[i])];
  known_us.resize(rows.size());
  return known_us;
}

Result<SourceHistory> load_history(const define::Project& project, int source,
                                   const OpenFormat& formats, const HistoryOptions& options) {
  const auto& declared = project.sources[static_cast<std::size_t>(source)];
  SourceHistory history;
  history.source = source;
  history.path = options.path.empty() ? source_path(project, source) : options.path;
  if (history.path.empty()) {
    history.rows = FileFold::empty_rows(declared);
    settle_names(project, history, nullptr);
    return history;
  }
  const auto failed = [&](Error error) {
    return std::unexpected(std::move(error).within("reading source '" + declared.name + "'"));
  };
  COEVAL_ASSIGN(auto checks, quality::RowChecks::compile(declared));
  auto reader = open_file(declared, formats, history.path);
  if (!reader) return failed(std::move(reader).error());
  // What does not need the rows goes beside what does: the file's hash beside the reading, the
  // order beside the joining of the pieces.
  auto hash =
      std::async(std::launch::async, [&history] { return data::sha256_of_file(history.path); });
  FileFold fold(declared, *checks, history);
  const auto add = [&](Piece& piece) { return fold.add(piece); };
  if (auto read_it = read_all(**reader, add); !read_it) return failed(std::move(read_it).error());
  fold.place_by_line();
  fold.add_unreadable();
  auto order =
      std::async(std::launch::async, [&history] { return stable_order(history.known_us); });
  COEVAL_TRY(fold.finish());
  history.order = order.get();
  auto hashed = hash.get();
  if (!hashed) return failed(std::move(hashed).error());
  history.sha256 = std::move(*hashed);
  if (declared.has_names()) {
    settle_names(project, history, nullptr);
    count_duplicates(history);
  }
  const bool was_cut = options.cut_us && cut(history, *options.cut_us);
  if (was_cut) history.order = stable_order(history.known_us);
  if (declared.has_names() && (was_cut || options.names != nullptr))
    settle_names(project, history, options.names);
  return history;
}

Result<quality::Conservation> stream_history(const define::Project& project, int source,
                                             const OpenFormat& formats,
                                             const HistoryOptions& options,
                                             const std::function<Status(data::Batch)>& sink) {
  const auto& declared = project.sources[static_cast<std::size_t>(source)];
  SourceHistory history;
  history.source = source;
  history.path = options.path.empty() ? source_path(project, source) : options.path;
  auto& counts = history.conservation;
  if (history.path.empty()) return counts;
  const auto failed = [&](Error error) {
    return std::unexpected(std::move(error).within("reading source '" + declared.name + "'"));
  };
  COEVAL_ASSIGN(auto checks, quality::RowChecks::compile(declared));
  auto reader = open_file(declared, formats, history.path);
  if (!reader) return failed(std::move(reader).error());
  FileFold fold(declared, *checks, history, FileFold::Places::not_kept);
  Status sunk;
  const auto pass_on = [&](Piece& read) -> Status {
    COEVAL_TRY(fold.add(read));
    std::vector<std::int64_t> known_us;
    data::Batch piece = fold.take_piece(known_us);
    counts.accepted += piece.rows;
    if (options.cut_us) piece = known_before(*options.cut_us, std::move(piece), known_us);
    if (piece.rows > 0) sunk = sink(std::move(piece));
    return sunk;
  };
  auto read_it = read_all(**reader, pass_on);
  if (!sunk) return std::unexpected(std::move(sunk).error());
  if (!read_it) return failed(std::move(read_it).error());
  counts.quarantined = counts.read - counts.accepted;
  return counts;
}

}  // namespace coeval::replay
