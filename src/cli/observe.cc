#include "cli/observe.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "data/csv_records.h"
#include "data/json.h"
#include "quality/epoch_units.h"
#include "quality/profile.h"
#include "quality/type_guess.h"
#include "stores/byte_source.h"
#include "stores/table_files.h"

namespace coeval::cli {

namespace {

using data::Type;
using stores::ByteSource;

constexpr std::size_t kLineBytes = std::size_t{16} << 20;

std::string ending_of(const std::string& path) {
  return std::filesystem::path(stores::without_packing(path)).extension().string();
}

// Lines of a source of bytes, the last of which may lack its end.
class Lines {
 public:
  explicit Lines(ByteSource& bytes) : bytes_(bytes) {}
  /// False at the end. Errors: those of the source; too_deep for a line that is too long.
  Result<bool> next(std::string& line) {
    for (;;) {
      const std::size_t end = buffer_.find('\n', at_);
      if (end != std::string::npos) {
        line.assign(buffer_, at_, end - at_);
        at_ = end + 1;
        return true;
      }
      buffer_.erase(0, at_);
      at_ = 0;
      if (buffer_.size() > kLineBytes)
        return fail(Code::bad_file, bytes_.name() + " has a line of more than 16 MiB",
                    "a row is a line");
      const std::size_t size = buffer_.size();
      buffer_.resize(size + kReadBytes);
      COEVAL_ASSIGN(const std::size_t got,
                    bytes_.read(std::span<char>(buffer_).subspan(size, kReadBytes)));
      buffer_.resize(size + got);
      if (got == 0) {
        line = std::exchange(buffer_, {});
        return !line.empty();
      }
    }
  }

 private:
  static constexpr std::size_t kReadBytes = std::size_t{1} << 18;
  ByteSource& bytes_;
  std::string buffer_;
  std::size_t at_ = 0;
};

// Columns by the order in which they were first seen.
struct Guesses {
  std::vector<std::string> names;
  std::vector<quality::TypeGuess> columns;
  std::map<std::string, std::size_t, std::less<>> index;
  std::int64_t rows = 0;
  char delimiter = ',';

  quality::TypeGuess& of(std::string_view name) {
    const auto found = index.find(name);
    if (found != index.end()) return columns[found->second];
    index.emplace(name, names.size());
    names.emplace_back(name);
    return columns.emplace_back();
  }
  /// A column that a row lacks is null there.
  data::Schema schema() const {
    data::Schema schema;
    for (std::size_t i = 0; i < names.size(); ++i)
      schema.fields.push_back({names[i], columns[i].type(), columns[i].values() < rows});
    return schema;
  }
};

Result<Guesses> guess_jsonl(const std::string& path) {
  COEVAL_ASSIGN(const auto bytes, stores::open_bytes(path));
  Guesses guesses;
  data::JsonParser parser;
  Lines lines(*bytes);
  std::string line;
  for (std::int64_t number = 1;; ++number) {
    COEVAL_ASSIGN(const bool more, lines.next(line));
    if (!more) return guesses;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto row = parser.parse(line, {}, number);
    if (!row || row->object() == nullptr) continue;  // a bad row, which the checks will name
    ++guesses.rows;
    for (const auto& [name, value] : *row->object()) guesses.of(name).add_json(value);
  }
}

// What stands between the names of a header: what gives the most of them, a comma where two do.
char delimiter_of(std::string_view header) {
  char best = ',';
  std::size_t most = 0;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    data::CsvRecord record;
    if (!data::CsvScanner(header, delimiter).next(record) || record.fields.size() <= most) continue;
    most = record.fields.size();
    best = delimiter;
  }
  return best;
}

struct CsvHeader {
  data::Schema schema;
  char delimiter = ',';
};

Result<CsvHeader> csv_header(const std::string& path) {
  COEVAL_ASSIGN(const auto bytes, stores::open_bytes(path));
  Lines lines(*bytes);
  std::string line;
  COEVAL_ASSIGN(const bool any, lines.next(line));
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  CsvHeader header{{}, delimiter_of(line)};
  data::CsvRecord record;
  data::CsvScanner scanner(line, header.delimiter);
  if (any && scanner.next(record))
    for (const data::CsvField& field : record.fields)
      header.schema.fields.push_back({std::string(field.text), Type::string, true});
  if (header.schema.fields.empty())
    return fail(Code::bad_csv, "'" + path + "' has no header",
                "the first line of CSV names the columns");
  return header;
}

Result<Guesses> guess_csv(stores::TableFiles& format, const std::string& path) {
  COEVAL_ASSIGN(const CsvHeader header, csv_header(path));
  stores::ReadOptions options;
  options.schema = header.schema;
  options.delimiter = header.delimiter;
  COEVAL_ASSIGN(const auto reader, format.open(path, options));
  Guesses guesses;
  guesses.delimiter = header.delimiter;
  for (const data::Field& field : header.schema.fields) guesses.of(field.name);
  for (;;) {
    COEVAL_ASSIGN(const data::Batch batch, reader->next());
    if (reader->at_end(batch)) return guesses;
    guesses.rows += batch.rows;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      quality::TypeGuess& guess = guesses.columns[i];
      for (std::int64_t row = 0; row < batch.rows; ++row) {
        if (batch.columns[i].is_null(row))
          guess.add_null();
        else
          guess.add_text(batch.columns[i].string(row));
      }
    }
  }
}

quality::ObservedColumn observed(const quality::ColumnSummary& summary) {
  quality::ObservedColumn out;
  out.name = summary.name;
  out.type = summary.type;
  out.rows = summary.rows;
  out.nulls = summary.nulls;
  if (!data::is_null(summary.min)) out.least = summary.min;
  if (!data::is_null(summary.max)) out.most = summary.max;
  if (data::is_list(summary.type)) {  // lengths, not values
    if (const auto* least = std::get_if<std::int64_t>(&summary.min)) out.shortest = *least;
    if (const auto* most = std::get_if<std::int64_t>(&summary.max)) out.longest = *most;
    out.least = out.most = std::nullopt;
    // Parquet and Arrow do not say how long lists are.
    if (out.shortest > 0 && out.shortest == out.longest && out.longest <= data::kMaxListLength)
      out.type = data::list_of(data::element_of(out.type), static_cast<std::uint32_t>(out.longest));
  }
  out.distinct = summary.distinct;
  out.distinct_is_exact = summary.distinct_exact;
  for (const quality::ProfileValue& top : summary.top_values)
    if (const auto* text = std::get_if<std::string>(&top.value))
      out.top.emplace_back(*text, top.count);
  return out;
}

// What numbers and moments look like that were counted in another unit than µs.
void note_epoch_unit(quality::ObservedColumn& column) {
  const auto* least = column.least ? std::get_if<std::int64_t>(&*column.least) : nullptr;
  const auto* most = column.most ? std::get_if<std::int64_t>(&*column.most) : nullptr;
  const bool is_moment = column.type == Type::timestamp;
  if (least == nullptr || most == nullptr || !(is_moment || data::is_integer(column.type))) return;
  const auto unit = quality::epoch_unit_of(
      *least, *most, is_moment ? quality::kFirstOfMoments : quality::kFirstOfNumbers);
  if (!unit) return;
  column.epoch_unit = unit->name;
  if (!column.personal) column.epoch_example = quality::both_readings(*least, *unit);
}

}  // namespace

Result<quality::ObservedFile> observe_file(const replay::OpenFormat& formats,
                                           const std::string& path) {
  COEVAL_ASSIGN(stores::TableFiles* const format, formats(path));
  const std::string ending = ending_of(path);
  const bool is_csv = ending == ".csv";
  const bool is_text = is_csv || ending == ".jsonl" || ending == ".ndjson";
  Guesses guesses;
  stores::ReadOptions options;
  if (is_text) {
    COEVAL_ASSIGN(guesses, is_csv ? guess_csv(*format, path) : guess_jsonl(path));
    options.schema = guesses.schema();
    options.delimiter = guesses.delimiter;
    for (std::size_t i = 0; i < guesses.names.size(); ++i)
      if (guesses.columns[i].holds_json() && guesses.columns[i].type() == Type::string)
        options.json_columns.push_back(guesses.names[i]);
  }
  COEVAL_ASSIGN(const auto reader, format->open(path, options));
  quality::Profile profile(reader->schema());
  quality::PersonalDataDetector personal;
  std::int64_t unreadable = 0;
  std::string first_unreadable;
  for (;;) {
    COEVAL_ASSIGN(const data::Batch batch, reader->next());
    if (reader->at_end(batch)) break;
    unreadable += std::ssize(reader->bad_rows());
    if (!reader->bad_rows().empty() && first_unreadable.empty())
      first_unreadable = "line " + std::to_string(reader->bad_rows().front().line) + ": " +
                         quality::without_values(reader->bad_rows().front().reason);
    COEVAL_TRY(profile.add(batch));
    personal.add(batch);
  }
  if (profile.rows() == 0 || profile.schema().fields.empty())
    return fail(Code::bad_file,
                "'" + path + "' has no rows to tell columns by" +
                    (unreadable > 0 ? ": none of " + std::to_string(unreadable) +
                                          " could be read, the first on " + first_unreadable
                                    : ""),
                "coeval init without --from writes a definition to start from");

  quality::ObservedFile file{path, profile.rows(), unreadable, first_unreadable, {}};
  file.delimiter = guesses.delimiter;
  for (const quality::ColumnSummary& summary : profile.summary().columns)
    file.columns.push_back(observed(summary));
  for (std::size_t i = 0; i < guesses.names.size(); ++i)
    file.columns[i].holds_json = guesses.columns[i].holds_json();
  for (const quality::PersonalColumn& found : personal.found())
    std::ranges::find(file.columns, found.column, &quality::ObservedColumn::name)->personal = found;
  for (quality::ObservedColumn& column : file.columns) note_epoch_unit(column);
  return file;
}

}  // namespace coeval::cli
