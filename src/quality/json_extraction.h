#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "data/json.h"
#include "data/json_path.h"
#include "define/project.h"
#include "quality/checks.h"

namespace coeval::quality {

/// What is wrong with the JSON of one row.
struct JsonFault {
  std::string column;  ///< the one that was to be taken out, or the one that holds the text
  std::string rule;    ///< "type", or "json" for text that is no JSON
  std::string reason;  ///< "country: payload.card: expected an object, found a string"
};

/// Takes the columns of a source that are declared with `json` out of those that hold their text:
/// the same for rows of files, of requests and of questions. Values are typed as those of JSON
/// lines are; what is missing or null is null, and left to the rules against nulls. (semantics: V1)
/// Threading: const, safe from any thread.
class JsonExtraction {
 public:
  /// The most bytes of one text; the levels are those of any JSON.
  static constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;

  explicit JsonExtraction(const define::Source& source);
  /// The same for rows that hold only some columns of the source: `columns` are their indexes in
  /// it, in the order of the row's values.
  JsonExtraction(const define::Source& source, std::span<const int> columns);

  /// Whether nothing is taken out.
  bool empty() const { return parts_.empty(); }
  /// The columns that hold texts, each once.
  const std::vector<std::string>& holders() const { return holders_; }
  /// The index of a holder's name, or -1.
  int holder_of(std::string_view column) const;
  /// Whether value `place` of the row is taken out of a text; then its holder, or -1.
  int holder_at(std::size_t place) const;
  /// What must be kept of the JSON of such rows: texts of the holders that are given as objects or
  /// arrays, digits of decimals. Refers to this object.
  data::JsonTexts texts() const { return {decimals_, holders_}; }

  /// Sets the values that are taken out, from the texts of holders(); nothing stands for null.
  /// Those at fault become null.
  std::vector<JsonFault> fill(std::span<const std::optional<std::string_view>> texts,
                              std::span<data::Value> row, data::JsonParser& parser) const;

  /// The same for whole columns: sets the columns that are taken out in `batch`, which holds the
  /// others, the holders among them, and adds the faults of each row to `unreadable`.
  void fill(data::Batch& batch, std::vector<UnreadableValue>& unreadable) const;

  /// Adds what could not be read of a row for `fault`. All that is taken out of a text that is no
  /// JSON is not there either.
  void add_unreadable(const JsonFault& fault, std::int64_t row,
                      std::vector<UnreadableValue>& unreadable) const;
  /// Adds what is taken out of a holder that itself could not be read, if it is one.
  void add_taken_out_of(std::string_view column, std::int64_t row,
                        std::vector<UnreadableValue>& unreadable) const;

 private:
  struct Part {
    std::size_t place;   // in the row
    std::size_t holder;  // in holders_
    std::string name;
    data::Type type;
    data::JsonPath path;
  };
  void fill_from(std::size_t holder, std::string_view text, std::span<data::Value> row,
                 data::JsonParser& parser, std::vector<JsonFault>& faults) const;
  std::vector<Part> parts_;
  std::vector<std::string> holders_;
  std::vector<bool> reads_decimals_;  // by holder
  bool decimals_ = false;             // among the values that are not taken out
};

}  // namespace coeval::quality
