#include "ingest/table_pieces.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "replay/history.h"

namespace coeval::ingest {

namespace {

// What is made of a piece of so much text stays in the nearer caches, and little fresh memory is
// touched.
constexpr std::size_t kWindowBytes = std::size_t{1} << 20;

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
    piece.text = reader_.places();
    ended_ = reader_.at_end(table);
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
  data::TextPlaces& text = piece.text;
  std::erase_if(text.bad, [&](const auto& bad) { return bad.line < first_line; });
  const auto gone = std::ranges::lower_bound(text.lines, first_line) - text.lines.begin();
  if (gone == 0) return;
  std::vector<std::int64_t> rows(text.lines.size() - static_cast<std::size_t>(gone));
  std::iota(rows.begin(), rows.end(), gone);
  piece.table = data::take(piece.table, rows);
  text.lines.erase(text.lines.begin(), text.lines.begin() + gone);
  text.begins.erase(text.begins.begin(), text.begins.begin() + gone);
  text.ends.erase(text.ends.begin(), text.ends.begin() + gone);
}

}  // namespace

std::int64_t Piece::row_on(std::int64_t line) const {
  const auto found = std::ranges::lower_bound(text.lines, line);
  return found == text.lines.end() || *found != line ? -1 : found - text.lines.begin();
}

Status read_pieces(const define::Source& source, const replay::OpenFormat& formats,
                   const std::string& path, std::int64_t first_line,
                   const std::function<Status(const Piece&)>& sink) {
  COEVAL_ASSIGN(stores::TableFiles * files, formats(path));
  stores::ReadOptions options;
  options.window_bytes = kWindowBytes;
  COEVAL_ASSIGN(const auto reader, replay::open_declared(*files, path, source, options));
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
