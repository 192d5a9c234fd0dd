#include "stores/run_rows.h"

#include <array>
#include <utility>

namespace coeval::stores {

namespace {

constexpr std::size_t kByColumn = 1000;  // rows of a long list
constexpr std::array kKinds = {RunKind::build, RunKind::trial, RunKind::reproduce};
constexpr std::array kStates = {RunState::running, RunState::finished, RunState::failed,
                                RunState::interrupted};

template <class Word, std::size_t N>
Result<Word> word_of(const std::array<Word, N>& words, const std::string& text) {
  for (const Word word : words)
    if (name(word) == text) return word;
  return fail(Code::metadata, "the runs' database has an unknown word: '" + text + "'");
}

// --- value by value ---

Result<std::string> text_of(const char* field, std::int64_t run, RunColumns& columns) {
  COEVAL_ASSIGN(RunValue value, columns.value(run_field(field), run));
  auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? std::move(*text) : std::string();
}
Result<double> number_of(const char* field, std::int64_t run, RunColumns& columns) {
  COEVAL_ASSIGN(const RunValue value, columns.value(run_field(field), run));
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? *number : 0;
}

Result<RunRow> row_of(std::int64_t run, const std::vector<std::string>& wanted,
                      RunColumns& columns) {
  RunRow row;
  COEVAL_ASSIGN(row.id, text_of("id", run, columns));
  COEVAL_ASSIGN(row.model, text_of("model", run, columns));
  COEVAL_ASSIGN(row.experiment, text_of("experiment", run, columns));
  COEVAL_ASSIGN(const std::string kind, text_of("kind", run, columns));
  COEVAL_ASSIGN(row.kind, run_kind(kind));
  COEVAL_ASSIGN(const std::string state, text_of("state", run, columns));
  COEVAL_ASSIGN(row.state, run_state(state));
  COEVAL_ASSIGN(const double started, number_of("started", run, columns));
  row.started_us = static_cast<std::int64_t>(started);
  COEVAL_ASSIGN(const double version, number_of("version", run, columns));
  row.version = static_cast<int>(version);
  for (const auto& named : wanted) {
    COEVAL_ASSIGN(row.values.emplace_back(), columns.value(run_field(named), run));
  }
  return row;
}

// --- by column ---

// Fills one field of every row.
class RowsByColumn {
 public:
  RowsByColumn(std::span<const std::int64_t> runs, RunColumns& columns)
      : runs_(runs), columns_(columns), rows_(runs.size()) {}

  Result<std::vector<RunRow>> read(const std::vector<std::string>& wanted) && {
    COEVAL_TRY(texts("id", &RunRow::id));
    COEVAL_TRY(texts("model", &RunRow::model));
    COEVAL_TRY(texts("experiment", &RunRow::experiment));
    COEVAL_TRY(words("kind", kKinds, &RunRow::kind));
    COEVAL_TRY(words("state", kStates, &RunRow::state));
    COEVAL_TRY(numbers("started", &RunRow::started_us));
    COEVAL_TRY(numbers("version", &RunRow::version));
    for (RunRow& row : rows_) row.values.reserve(wanted.size());
    for (const auto& named : wanted) COEVAL_TRY(values(run_field(named)));
    return std::move(rows_);
  }

 private:
  static std::size_t place(std::int64_t run) { return static_cast<std::size_t>(run); }

  Status texts(const char* field, std::string RunRow::* into) {
    COEVAL_ASSIGN(const TextColumn* column, columns_.texts(run_field(field)));
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (const std::int32_t word = column->values[place(runs_[i])]; word >= 0)
        rows_[i].*into = column->words[static_cast<std::size_t>(word)];
    return {};
  }

  template <class Word, std::size_t N>
  Status words(const char* field, const std::array<Word, N>& known, Word RunRow::* into) {
    COEVAL_ASSIGN(const TextColumn* column, columns_.texts(run_field(field)));
    std::vector<Word> meant;
    for (const std::string& text : column->words) {
      COEVAL_ASSIGN(meant.emplace_back(), word_of(known, text));
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::int32_t word = column->values[place(runs_[i])];
      if (word < 0) return std::unexpected(word_of(known, "").error());
      rows_[i].*into = meant[static_cast<std::size_t>(word)];
    }
    return {};
  }

  template <class Number>
  Status numbers(const char* field, Number RunRow::* into) {
    COEVAL_ASSIGN(const NumberColumn* column, columns_.numbers(run_field(field)));
    for (std::size_t i = 0; i < rows_.size(); ++i)
      rows_[i].*into = static_cast<Number>(column->values[place(runs_[i])]);  // 0: absent
    return {};
  }

  Status values(const RunField& field) {
    if (field.is_number()) {
      COEVAL_ASSIGN(const NumberColumn* column, columns_.numbers(field));
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        RunValue& value = rows_[i].values.emplace_back();
        if (column->present[place(runs_[i])]) value = column->values[place(runs_[i])];
      }
      return {};
    }
    COEVAL_ASSIGN(const TextColumn* column, columns_.texts(field));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      RunValue& value = rows_[i].values.emplace_back();
      if (const std::int32_t word = column->values[place(runs_[i])]; word >= 0)
        value = column->words[static_cast<std::size_t>(word)];
    }
    return {};
  }

  const std::span<const std::int64_t> runs_;
  RunColumns& columns_;
  std::vector<RunRow> rows_;
};

}  // namespace

Result<RunKind> run_kind(const std::string& word) { return word_of(kKinds, word); }
Result<RunState> run_state(const std::string& word) { return word_of(kStates, word); }

Result<std::vector<RunRow>> run_rows(std::span<const std::int64_t> runs,
                                     const std::vector<std::string>& wanted, RunColumns& columns) {
  if (runs.size() > kByColumn) return RowsByColumn(runs, columns).read(wanted);
  std::vector<RunRow> rows;
  rows.reserve(runs.size());
  for (const std::int64_t run : runs) {
    COEVAL_ASSIGN(rows.emplace_back(), row_of(run, wanted, columns));
  }
  return rows;
}

}  // namespace coeval::stores
