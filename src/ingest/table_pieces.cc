#include "ingest/table_pieces.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "quality/json_extraction.h"

namespace coeval::ingest {

namespace {

// What a file holds of the source: columns taken out of JSON texts are made later.
stores::ReadOptions read_options(const define::Source& source) {
  stores::ReadOptions options;
  for (const auto& column : source.columns)
    if (!column.json) options.columns.push_back(column.name);
  options.schema = source.schema;
  options.json_columns = quality::JsonExtraction(source).holders();
  return options;
}

// Makes pieces of what a reader gives.
class PieceReader {
 public:
  explicit PieceReader(stores::TableReader& reader) : reader_(reader) {}

  /// Nothing at the end.
  Result<std::optional<Piece>> next() {
    if (ended_) return std::nullopt;
    COEVAL_ASSIGN(data::Batch table, reader_.next());
    Piece piece;
    piece.first_row = next_row_;
    ended_ = table.rows == 0;
    // Readers of text know all of these from the beginning: the lines of the batch are a part, and
    // what is no row goes with the end.
    const auto lines = reader_.lines();
    if (!ended_ && !lines.empty()) {
      const auto first = lines.begin() + static_cast<std::ptrdiff_t>(next_row_);
      piece.lines.assign(first, first + static_cast<std::ptrdiff_t>(table.rows));
    }
    if (ended_) piece.bad.assign(reader_.bad_rows().begin(), reader_.bad_rows().end());
    next_row_ += table.rows;
    piece.table = std::move(table);
    if (piece.rows() == 0) return std::nullopt;
    return piece;
  }

 private:
  stores::TableReader& reader_;
  std::int64_t next_row_ = 0;
  bool ended_ = false;
};

void leave_out_before(std::int64_t first_line, Piece& piece) {
  std::erase_if(piece.bad, [&](const auto& bad) { return bad.line < first_line; });
  if (piece.lines.empty() || piece.lines.front() >= first_line) return;
  const auto kept = std::ranges::lower_bound(piece.lines, first_line);
  std::vector<std::int64_t> rows;
  for (auto line = kept; line != piece.lines.end(); ++line)
    rows.push_back(line - piece.lines.begin());
  piece.table = data::take(piece.table, rows);
  piece.lines.erase(piece.lines.begin(), kept);
}

}  // namespace

Status read_pieces(const define::Source& source, const replay::OpenFormat& formats,
                   const std::string& path, std::int64_t first_line,
                   const std::function<Status(const Piece&)>& sink) {
  COEVAL_ASSIGN(stores::TableFiles * files, formats(path));
  COEVAL_ASSIGN(const auto reader, files->open(path, read_options(source)));
  BoundedQueue<Result<std::optional<Piece>>> pieces(2);
  std::thread decoder([&] {
    PieceReader piece_reader(*reader);
    while (true) {
      auto piece = piece_reader.next();
      const bool last = !piece || !*piece;
      if (!pieces.push(std::move(piece)) || last) return pieces.close();
    }
  });
  Status outcome;
  while (outcome) {
    auto piece = pieces.pop();
    if (!piece || (piece->has_value() && !**piece)) break;
    if (!*piece) {
      outcome = std::unexpected(std::move(*piece).error());
      break;
    }
    if (first_line > 0) leave_out_before(first_line, ***piece);
    if ((**piece)->rows() > 0) outcome = sink(***piece);
  }
  pieces.close();
  decoder.join();
  return outcome;
}

}  // namespace coeval::ingest
