#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "stores/byte_source.h"
#include "stores/temporary_folder.h"
#include "stores/text_table_files.h"

// What CSV files of the world hold, and the words and places that are told of it.

namespace coeval::stores {
namespace {

using namespace std::literals;
using data::Type;

const data::Schema kFlights = {{{"origin", Type::string, true},
                                {"delay", Type::float64, true},
                                {"distance", Type::int32, true}}};

struct Read {
  std::string rows;  // "ORD|1.5|3;…"
  std::vector<std::int64_t> lines;
  std::vector<std::uint64_t> offsets;
  std::vector<std::string> raws;
  std::vector<data::BadTextRow> bad;
  Error error;
};

ReadOptions reading(std::string_view text, std::size_t window) {
  ReadOptions options;
  options.schema = kFlights;
  options.window_bytes = window;
  options.open_bytes = [text](const std::string& path) {
    return Result<std::unique_ptr<ByteSource>>(bytes_of_text(path, text));
  };
  return options;
}

Read read_with(const ReadOptions& options, TableFiles& files) {
  Read out;
  auto reader = files.open("t.csv", options);
  if (!reader) {
    out.error = reader.error();
    return out;
  }
  for (;;) {
    const auto batch = (*reader)->next();
    if (!batch) {
      out.error = batch.error();
      return out;
    }
    if ((*reader)->at_end(*batch)) return out;
    const data::TextPlaces& places = (*reader)->places();
    for (std::int64_t row = 0; row < batch->rows; ++row) {
      for (const data::Column& column : batch->columns)
        out.rows += data::to_text(column.value(row), column.type()) + "|";
      out.rows.back() = ';';
      out.lines.push_back(places.lines[static_cast<std::size_t>(row)]);
      out.offsets.push_back(places.offset(row));
      out.raws.emplace_back(places.raw(row));
    }
    out.bad.insert(out.bad.end(), places.bad.begin(), places.bad.end());
  }
}

// In one window, and in windows that cut every row somewhere: the same.
Read read(std::string_view text, char delimiter = ',') {
  ReadOptions options = reading(text, std::size_t{1} << 20);
  options.delimiter = delimiter;
  Read whole = read_with(options, *make_csv_files());
  for (const std::size_t window : {std::size_t{16}, std::size_t{18}, std::size_t{34}}) {
    options.window_bytes = window;
    const Read cut = read_with(options, *make_csv_files());
    REQUIRE(cut.rows == whole.rows);
    REQUIRE(cut.lines == whole.lines);
    REQUIRE(cut.offsets == whole.offsets);
    REQUIRE(cut.raws == whole.raws);
    REQUIRE(cut.bad.size() == whole.bad.size());
    for (std::size_t i = 0; i < whole.bad.size(); ++i) {
      REQUIRE(cut.bad[i].reason == whole.bad[i].reason);
      REQUIRE(cut.bad[i].offset == whole.bad[i].offset);
      REQUIRE(cut.bad[i].raw == whole.bad[i].raw);
    }
    REQUIRE(one_line(cut.error) == one_line(whole.error));
  }
  return whole;
}

// The one bad row of a text.
data::BadTextRow bad_row(std::string_view text, char delimiter = ',') {
  Read out = read(text, delimiter);
  REQUIRE(out.bad.size() == 1);
  return out.bad.front();
}

constexpr std::string_view kHeader = "origin,delay,distance\n";  // 22 bytes
std::string under_header(std::string_view rows) { return std::string(kHeader) + std::string(rows); }

TEST_CASE("quotes, doubled quotes, and line breaks and delimiters inside them") {
  const Read out = read(under_header("\"a \"\"b\"\"\",1,2\n\"x,\r\ny\",3,4\n\"\",5,6\n"));
  CHECK(out.bad.empty());
  CHECK(out.rows == "a \"b\"|1|2;x,\r\ny|3|4;|5|6;");
  CHECK(out.lines == std::vector<std::int64_t>{2, 3, 5});
  CHECK(out.offsets == std::vector<std::uint64_t>{22, 36, 48});
  CHECK(out.raws[1] == "\"x,\r\ny\",3,4");
}

TEST_CASE("lines that end in LF, CRLF, and one that ends nowhere") {
  const Read out = read(under_header("a,1,2\r\nb,3,4\nc,5,6"));
  CHECK(out.rows == "a|1|2;b|3|4;c|5|6;");
  CHECK(out.raws == std::vector<std::string>{"a,1,2", "b,3,4", "c,5,6"});
  CHECK(read(under_header("a,1,2\r")).rows == "a|1|2;");
  // A CR alone is no line end: what it stands in is told.
  CHECK(bad_row(under_header("a,1,2\rb,3,4\n")).reason ==
        "expected fields: 3, found 5; the first without a name is '3' (byte 30)");
}

TEST_CASE("a file whose lines end in CR alone says so") {
  const Read out = read("origin,delay,distance\ra,1,2\r");
  CHECK(out.error.code == Code::bad_csv);
  CHECK(out.error.advice.find("CR alone") != std::string::npos);
}

TEST_CASE("a byte order mark is no part of the first name, and counts as bytes") {
  const Read out = read("\xEF\xBB\xBF" + under_header("a,1,2\nb,x,3\n"));
  CHECK(out.rows == "a|1|2;");
  CHECK(out.offsets == std::vector<std::uint64_t>{25});
  CHECK(out.bad[0].offset == 31);
  CHECK(out.bad[0].reason == "delay: not float64: 'x' (byte 33)");
}

TEST_CASE("ragged rows say how many fields, from which column on, and where") {
  const data::BadTextRow few = bad_row(under_header("a,1,2\nb,3\n"));
  CHECK(few.line == 3);
  CHECK(few.offset == 28);
  CHECK(few.raw == "b,3");
  CHECK(few.reason == "expected fields: 3, found 2; none for 'distance' (byte 28)");
  const data::BadTextRow many = bad_row(under_header("a,1,2\nb,3,4,five,6\n"));
  CHECK(many.reason == "expected fields: 3, found 5; the first without a name is 'five' (byte 34)");
}

TEST_CASE("embedded NUL bytes are told with their place") {
  CHECK(bad_row(under_header("a\0b,1,2\n"sv)).reason == "origin: holds a byte 0 (byte 23)");
  CHECK(bad_row(under_header("a,1\0,2\n"sv)).reason == "delay: holds a byte 0 (byte 25)");
}

TEST_CASE("a stray quote in a field without quotes, and text behind a closing one") {
  const data::BadTextRow stray = bad_row(under_header("a,1,2\nb\"c,3,4\nd,5,6\n"));
  CHECK(stray.line == 3);
  CHECK(stray.reason ==
        "a quote inside a field that does not begin with one, in 'origin' (byte 29)");
  CHECK(bad_row(under_header("\"b\"c,3,4\n")).reason ==
        "text after the closing quote of a field, in 'origin' (byte 25)");
}

TEST_CASE(
    "a quote that is never closed is told by the line where it opens, behind the rows before") {
  const Read out = read(under_header("a,1,2\nb,\"3,4\nc,5,6\nd,7,8\n"));
  CHECK(out.rows == "a|1|2;");
  CHECK(out.error.code == Code::bad_csv);
  CHECK(out.error.message ==
        "a quoted field is never closed; its quote opens on line 3, in 'delay' (byte 30)");
  CHECK(one_line(out.error).find("t.csv") != std::string::npos);
}

TEST_CASE("decimal commas are called by their name") {
  CHECK(bad_row(under_header("a,\"12,5\",2\n")).reason ==
        "delay: not float64: '12,5', which looks like a decimal comma (byte 25)");
  CHECK(bad_row("origin;delay;distance\na;-1.234,56;2\n", ';').reason ==
        "delay: not float64: '-1.234,56', which looks like a decimal comma (byte 24)");
}

TEST_CASE("bytes that are not UTF-8 are told by line, column and byte") {
  const data::BadTextRow bad =
      bad_row(under_header("caf\xC3\xA9,1,2\n\"a\"\"\xE9\",3,4\n日本,5,6\n"));
  CHECK(bad.line == 3);
  CHECK(bad.offset == 32);
  CHECK(bad.reason ==
        "origin: the text is not UTF-8: 0xE9, which in Latin-1 is '\u00E9' (byte 36)");
  CHECK(bad_row(under_header("a\x80,1,2\n")).reason ==
        "origin: the text is not UTF-8: 0x80 (byte 23)");
  const Read wide = read("\xFF\xFEo\0r\0i\0"sv);
  CHECK(wide.error.advice.find("UTF-16") != std::string::npos);
}

TEST_CASE("empty files, headers alone, and what headers get wrong") {
  CHECK(read("").error.message == "the text is empty, not even a header");
  CHECK(read("\xEF\xBB\xBF").error.code == Code::bad_csv);
  CHECK(read(kHeader).rows.empty());
  CHECK(read("origin,delay,distance").error.message.empty());
  const Read twice = read("origin,delay,distance,delay\n");
  CHECK(twice.error.message == "the header names a column twice: 'delay'");
  CHECK(twice.error.advice == "it is field 2 and field 4");
  const Read spaces = read("origin, delay ,distance\n");
  CHECK(spaces.error.message == "the header has no column 'delay'");
  CHECK(spaces.error.advice.find("' delay '") != std::string::npos);
  CHECK(read("origin,\"delay").error.message ==
        "a quoted field is never closed; its quote opens on line 1, in field 2 (byte 7)");
}

TEST_CASE("other delimiters are read when they are declared, and named when they are not") {
  CHECK(read("origin;delay;distance\na,b;1;2\n", ';').rows == "a,b|1|2;");
  CHECK(read("origin\tdelay\tdistance\n\"a\tb\"\t1\t2\n", '\t').rows == "a\tb|1|2;");
  CHECK(read("origin;delay;distance\na;1;2\n").error.advice.find("';'") != std::string::npos);
  CHECK(read("origin\tdelay\tdistance\na\t1\t2\n").error.advice.find("a tab") != std::string::npos);
  CHECK(read("x", '"').error.code == Code::unsupported);
}

// Text that is made while it is read.
class MadeText final : public ByteSource {
 public:
  MadeText(std::string before, std::uint64_t many, char of, std::string behind)
      : before_(std::move(before)), many_(many), of_(of), behind_(std::move(behind)) {}
  Result<std::size_t> read(std::span<char> into) override {
    const std::uint64_t size = before_.size() + many_ + behind_.size();
    std::size_t done = 0;
    while (done < into.size() && at_ < size) {
      if (at_ >= before_.size() && at_ < before_.size() + many_) {
        const auto count =
            std::min<std::uint64_t>(into.size() - done, before_.size() + many_ - at_);
        std::memset(into.data() + done, of_, count);
        done += count, at_ += count;
        continue;
      }
      into[done++] = at_ < before_.size() ? before_[at_] : behind_[at_ - before_.size() - many_];
      ++at_;
    }
    return done;
  }
  const std::string& name() const override { return before_; }
  std::uint64_t bytes_read() const override { return at_; }
  std::uint64_t bytes_total() const override { return 0; }

 private:
  std::string before_;
  std::uint64_t many_;
  char of_;
  std::string behind_;
  std::uint64_t at_ = 0;
};

// The most memory that this process held since it was last asked, in KiB.
std::int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  std::int64_t peak = 0;
  for (std::string word; status >> word;)
    if (word == "VmHWM:") status >> peak;
  std::ofstream("/proc/self/clear_refs") << 5;
  return peak;
}

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

void check_long_line(TableFiles& files, const std::string& before, const std::string& opening,
                     char of, const std::string& closing, const std::string& behind) {
  ReadOptions options = reading({}, std::size_t{8} << 20);
  options.open_bytes = [&](const std::string&) {
    return Result<std::unique_ptr<ByteSource>>(
        std::make_unique<MadeText>(before + opening, kGiB, of, closing + behind));
  };
  peak_memory();
  const std::int64_t memory = peak_memory();
  const Read out = read_with(options, files);
  CHECK(peak_memory() - memory < 100'000);
  CHECK(out.rows == "a|1|2;b|3|4;");
  REQUIRE(out.bad.size() == 1);
  const std::uint64_t size = kGiB + opening.size() + closing.size() - 1;
  CHECK(out.bad[0].reason == "the row has " + std::to_string(size) +
                                 " bytes, the limit is 16777216 (byte " +
                                 std::to_string(before.size()) + ")");
  CHECK(out.bad[0].offset == before.size());
  CHECK(out.bad[0].raw.size() == 1024);
  CHECK(out.offsets[1] == before.size() + size + 1);
}

TEST_CASE("a line of 1 GiB is one bad row that is never held") {
  const auto csv = make_csv_files(), jsonl = make_jsonl_files();
  check_long_line(*csv, under_header("a,1,2\n"), "", 'x', ",1,2\n", "b,3,4\n");
  check_long_line(*csv, under_header("a,1,2\n"), "\"", '\n', "\",1,2\n", "b,3,4\n");
  check_long_line(*jsonl, "{\"origin\":\"a\",\"delay\":1,\"distance\":2}\n", "{\"origin\":\"", 'x',
                  "\"}\n", "{\"origin\":\"b\",\"delay\":3,\"distance\":4}\n");
}

TEST_CASE("a quote that is never closed in 1 GiB is told by its place, and not held") {
  ReadOptions options = reading({}, std::size_t{8} << 20);
  options.open_bytes = [&](const std::string&) {
    return Result<std::unique_ptr<ByteSource>>(
        std::make_unique<MadeText>(under_header("a,1,2\nb,\""), kGiB, '\n', ""));
  };
  peak_memory();
  const std::int64_t memory = peak_memory();
  const Read out = read_with(options, *make_csv_files());
  CHECK(peak_memory() - memory < 100'000);
  CHECK(out.rows == "a|1|2;");
  CHECK(out.error.message ==
        "a quoted field is never closed; its quote opens on line 3, in 'delay' (byte 30)");
}

TEST_CASE("a row of exactly the limit is read, one of a byte more is not, whatever the window") {
  const std::string text = under_header(
      "aaaaaaaaaaaaaaaaaaaaaaaa,1,2\naaaaaaaaaaaaaaaaaaaaaaaaa,1,2\n"
      "b,3,4\r\n");
  for (const std::size_t window : {std::size_t{16}, std::size_t{30}, std::size_t{4096}}) {
    ReadOptions options = reading(text, window);
    options.max_record_bytes = 28;
    const Read out = read_with(options, *make_csv_files());
    CHECK(out.rows == "aaaaaaaaaaaaaaaaaaaaaaaa|1|2;b|3|4;");
    REQUIRE(out.bad.size() == 1);
    CHECK(out.bad[0].reason == "the row has 29 bytes, the limit is 28 (byte 51)");
    CHECK(out.bad[0].line == 3);
  }
}

}  // namespace
}  // namespace coeval::stores
