#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "define/row_part.h"
#include "replay/dataset.h"
#include "training/dataset_reader.h"

namespace coeval::training {

/// Some questions of a dataset with the inputs that it has for them, to be compared with what the
/// state that a server keeps answers.
class CheckedRows {
 public:
  /// `wanted` tells by question which; empty: none.
  explicit CheckedRows(std::vector<bool> wanted) : wanted_(std::move(wanted)) {}

  /// The next block of the dataset, whether its inputs were computed now or lie elsewhere.
  void add(const replay::Answers& answers);
  std::int64_t count() const { return std::ssize(rows_); }
  /// Further inputs, of a dataset's stored columns; after all blocks. Errors: those of the reader.
  Status read(DatasetReader reader);
  /// Asks for the inputs of `asked` again, by the state that a server keeps. By name, how many
  /// values have not the same bits. Errors: those of replay::answer.
  Result<std::map<std::string, std::int64_t>> compare(
      std::shared_ptr<const define::Project> project, const replay::Past& past,
      const replay::Questions& questions, const define::RowPart& asked,
      replay::AnswerOptions options);

 private:
  Status expect(const std::vector<data::Batch>& blocks);

  std::vector<bool> wanted_;
  std::int64_t seen_ = 0;                         // rows of the dataset
  std::vector<std::int64_t> rows_, positions_;    // places of questions; in the dataset
  std::vector<data::Batch> inputs_;               // of blocks
  std::map<std::string, data::Column> expected_;  // by input
};

}  // namespace coeval::training
