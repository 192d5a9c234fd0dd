#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/text_decoder.h"

namespace coeval::data {

/// Decodes a text of which at first `size()` bytes are seen, and so many more whenever the decoder
/// wants more; `rows()` at a time. As read_csv() and read_jsonl() give it, with dictionaries.
inline Result<TextTable> decode_in_pieces(TextDecoder& decoder, std::string_view text,
                                          const std::function<std::size_t()>& size,
                                          const std::function<std::int64_t()>& rows,
                                          std::vector<std::string>* raws = nullptr) {
  TextTable table;
  std::vector<Batch> batches;
  std::size_t at = 0, seen = 0;
  bool begun = false;
  for (;;) {
    // A copy that ends where the piece does: sanitizers see what looks too far.
    std::string piece(text.substr(at, seen - at));
    const std::size_t piece_size = piece.size();
    piece.append(kTextPadding, '\0');
    const std::string_view view = std::string_view(piece).substr(0, piece_size);
    const bool last = seen == text.size();
    std::size_t taken = 0;
    if (!begun) {
      COEVAL_ASSIGN(begun, decoder.begin(view, last, taken));
      if (!begun) seen = std::min(text.size(), seen + std::max<std::size_t>(size(), 1));
      at += taken;
      continue;
    }
    if (view.empty() && last) break;
    COEVAL_ASSIGN(TextRows part, decoder.decode(view, last, rows()));
    for (std::size_t i = 0; i < part.places.lines.size(); ++i) {
      table.lines.push_back(part.places.lines[i]);
      if (raws != nullptr)
        raws->emplace_back(
            view.substr(part.places.begins[i], part.places.ends[i] - part.places.begins[i]));
    }
    for (BadTextRow& bad : part.places.bad) table.bad.push_back(std::move(bad));
    if (part.batch.rows > 0) batches.push_back(std::move(part.batch));
    at += part.taken;
    if (part.taken == 0) seen = std::min(text.size(), seen + std::max<std::size_t>(size(), 1));
  }
  table.rows.schema = decoder.schema();
  for (const Field& field : decoder.schema().fields) {
    ColumnBuilder builder(field.type);
    const auto column = static_cast<std::size_t>(decoder.schema().index_of(field.name));
    for (const Batch& batch : batches)
      for (std::int64_t row = 0; row < batch.rows; ++row)
        builder.append_from(batch.columns[column], row);
    table.rows.rows = builder.size();
    table.rows.columns.push_back(builder.finish());
  }
  return table;
}

/// What two readings of one text do not have in common, or nothing. Floats are equal by their bits.
inline std::string difference(const Result<TextTable>& a, const Result<TextTable>& b) {
  if (a.has_value() != b.has_value())
    return "one is an error: " + one_line(a ? b.error() : a.error());
  if (!a) return one_line(a.error()) == one_line(b.error()) ? "" : "errors differ";
  if (a->lines != b->lines) return "lines differ";
  if (a->bad.size() != b->bad.size()) return "numbers of bad rows differ";
  for (std::size_t i = 0; i < a->bad.size(); ++i) {
    const BadTextRow &x = a->bad[i], &y = b->bad[i];
    if (x.line != y.line || x.offset != y.offset || x.raw != y.raw || x.reason != y.reason)
      return "bad rows differ: '" + x.reason + "' and '" + y.reason + "'";
    if (!std::ranges::equal(x.cells, y.cells, {}, &BadCell::column, &BadCell::column) ||
        x.values.size() != y.values.size())
      return "what could not be read of a bad row differs: '" + x.reason + "'";
    for (std::size_t column = 0; column < x.values.size(); ++column) {
      const Type type = a->rows.schema.fields[column].type;
      if (to_text(x.values[column], type) != to_text(y.values[column], type))
        return "what could be read of a bad row differs: '" + x.reason + "'";
    }
  }
  if (a->rows.rows != b->rows.rows) return "numbers of rows differ";
  for (std::size_t column = 0; column < a->rows.columns.size(); ++column)
    for (std::int64_t row = 0; row < a->rows.rows; ++row) {
      const Column &x = a->rows.columns[column], &y = b->rows.columns[column];
      bool equal = x.is_null(row) == y.is_null(row);
      if (equal && !x.is_null(row)) {
        if (is_float(x.type())) {
          const double p = x.real(row), q = y.real(row);
          equal =
              std::equal(reinterpret_cast<const char*>(&p), reinterpret_cast<const char*>(&p + 1),
                         reinterpret_cast<const char*>(&q));
        } else {
          equal = x.value(row) == y.value(row);
        }
      }
      if (!equal)
        return "row " + std::to_string(row) + " of '" + a->rows.schema.fields[column].name +
               "' differs: " + to_text(x.value(row), x.type()) + " and " +
               to_text(y.value(row), y.type());
    }
  return {};
}

}  // namespace coeval::data
