#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "define/expr.h"

namespace coeval::define {

struct Project;

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
  /// The zone of the definition; null = UTC. (semantics: T8)
  virtual const TimeZone* zone() const { return nullptr; }
};

/// The constant of that name. `project` may be null.
Binding bind_constant(const Project* project, std::string_view name);
/// Adds the names of its constants.
void add_constants(const Project* project, std::vector<std::string>& names);

/// The columns of one schema, and the constants of a project. A field of type null is a column
/// whose declaration is broken.
class RowScope final : public Scope {
 public:
  /// `project`, for its constants and zone, may be null; it and the schema must outlive the scope.
  RowScope(const data::Schema& schema, std::string description, const Project* project)
      : RowScope(schema, std::move(description), false, project) {}
  RowScope(const data::Schema& schema, std::string description, bool question_time = false,
           const Project* project = nullptr)
      : schema_(schema),
        description_(std::move(description)),
        question_time_(question_time),
        project_(project) {}
  Binding find(std::string_view name) override;
  std::vector<std::string> names() const override;
  std::string description() const override { return description_; }
  bool has_question_time() const override { return question_time_; }
  const TimeZone* zone() const override;

 private:
  const data::Schema& schema_;
  std::string description_;
  bool question_time_;
  const Project* project_;
};

/// The binding of field `index`: a column node, or a broken one.
Binding bind_field(const data::Schema& schema, int index);

}  // namespace coeval::define
