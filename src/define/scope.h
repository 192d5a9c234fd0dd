#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "define/expr.h"

namespace coeval::define {

/// What a name stands for. `found` without `expr`: the name exists, but its own definition is
/// broken and that has been reported.
struct Binding {
  bool found = false;
  ExprPtr expr;
};

/// The names that an expression may use.
class Scope {
 public:
  virtual ~Scope() = default;
  virtual Binding find(std::string_view name) = 0;
  /// For suggestions.
  virtual std::vector<std::string> names() const = 0;
  /// "source 'flights'"
  virtual std::string description() const = 0;
  /// Whether `at`, the question's time, exists here.
  virtual bool has_question_time() const = 0;
};

/// The columns of one schema. A field of type null is a column whose declaration is broken.
class RowScope final : public Scope {
 public:
  RowScope(const data::Schema& schema, std::string description, bool question_time = false)
      : schema_(schema), description_(std::move(description)), question_time_(question_time) {}
  Binding find(std::string_view name) override;
  std::vector<std::string> names() const override;
  std::string description() const override { return description_; }
  bool has_question_time() const override { return question_time_; }

 private:
  const data::Schema& schema_;
  std::string description_;
  bool question_time_;
};

/// The binding of field `index`: a column node, or a broken one.
Binding bind_field(const data::Schema& schema, int index);

}  // namespace coeval::define
