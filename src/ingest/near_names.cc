#include "ingest/near_names.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <span>

#include "data/csv_records.h"
#include "data/json.h"
#include "define/diagnostics.h"
#include "stores/byte_source.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kLookedBytes = std::size_t{256} << 10;
constexpr std::size_t kMostKeys = 256;  // that are counted
constexpr std::size_t kMostTold = 8;

std::string ending_of(const std::string& path) {
  return std::filesystem::path(stores::without_packing(path)).extension().string();
}

Result<std::string> first_bytes(const std::string& path) {
  COEVAL_ASSIGN(const auto bytes, stores::open_bytes(path));
  std::string text(kLookedBytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    COEVAL_ASSIGN(const std::size_t got, bytes->read(std::span<char>(text).subspan(size)));
    if (got == 0) break;
    size += got;
  }
  text.resize(size);
  return text;
}

// The columns that a row's text has itself.
std::vector<std::string> read_columns(const define::Source& source) {
  std::vector<std::string> names;
  for (const define::SourceColumn& column : source.columns)
    if (!column.json) names.push_back(column.name);
  return names;
}

/// The names that a file has: of JSON lines, in how many of the first rows.
struct Names {
  std::map<std::string, std::int64_t> unknown, present;  ///< rows by key, and by declared column
  std::int64_t rows = 0;

  void add(const std::string& name, const std::vector<std::string>& declared) {
    const bool is_declared = std::ranges::find(declared, name) != declared.end();
    auto& counts = is_declared ? present : unknown;
    if (counts.contains(name) || counts.size() < kMostKeys || is_declared) ++counts[name];
  }
};

// Of a file whose rows all have the same columns.
Names names_of(const std::vector<std::string>& columns, const std::vector<std::string>& declared) {
  Names names;
  names.rows = 1;
  for (const std::string& column : columns) names.add(column, declared);
  return names;
}

Result<Names> header_names(const std::string& path, char delimiter,
                           const std::vector<std::string>& declared) {
  COEVAL_ASSIGN(const std::string text, first_bytes(path));
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  data::CsvScanner scanner(rest, delimiter);
  data::CsvRecord header;
  std::vector<std::string> columns;
  if (scanner.next(header))
    for (const data::CsvField& field : header.fields) columns.emplace_back(field.text);
  return names_of(columns, declared);
}

Result<Names> typed_names(const std::string& path, const replay::OpenFormat& formats,
                          const std::vector<std::string>& declared) {
  COEVAL_ASSIGN(stores::TableFiles * files, formats(path));
  COEVAL_ASSIGN(const std::vector<std::string> columns, files->column_names(path));
  return names_of(columns, declared);
}

Result<Names> json_names(const std::string& path, const std::vector<std::string>& declared) {
  COEVAL_ASSIGN(const std::string text, first_bytes(path));
  Names names;
  data::JsonParser parser;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos && text.size() == kLookedBytes) break;  // cut
    const auto row = parser.parse(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!row || row->object() == nullptr) continue;
    ++names.rows;
    for (const auto& [key, value] : *row->object()) names.add(key, declared);
  }
  return names;
}

}  // namespace

Result<std::vector<std::string>> near_names(const define::Source& source,
                                            const replay::OpenFormat& formats,
                                            const std::string& path) {
  std::vector<std::string> texts;
  if (path == "-") return texts;
  const std::vector<std::string> declared = read_columns(source);
  const std::string ending = ending_of(path);
  const bool by_row = ending == ".jsonl" || ending == ".ndjson";
  COEVAL_ASSIGN(Names names, by_row             ? json_names(path, declared)
                             : ending == ".csv" ? header_names(path, source.delimiter, declared)
                                                : typed_names(path, formats, declared));
  auto& [unknown, present, rows] = names;
  for (const auto& [key, count] : unknown) {
    std::vector<std::string> absent;  // where the key stands in every row, or nearly
    for (const std::string& column : declared)
      if (present[column] + count <= rows) absent.push_back(column);
    const std::string meant = define::did_you_mean(key, absent);
    if (meant.empty()) continue;
    if (texts.size() == kMostTold) break;
    const std::string who = !by_row
                                ? "the file has: "
                                : std::to_string(count) + " of the first " + std::to_string(rows) +
                                      (rows == 1 ? " row has: " : " rows have: ");
    texts.push_back("the source declares no column " + define::in_quotes(key) + ", which " + who +
                    meant);
  }
  return texts;
}

}  // namespace coeval::ingest
