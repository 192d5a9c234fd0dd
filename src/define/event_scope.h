#pragma once

#include <string>
#include <vector>

#include "define/draft.h"
#include "define/scope.h"

namespace coeval::define {

/// The names that a view's keys and aggregates may use: columns of its source, columns of lookups
/// as `plane.maker`, constants. Naming a lookup adds it to the source (Source::lookups). Its keys
/// are the source's columns of their names or, where there is none, what [keys] says.
class EventScope final : public Scope {
 public:
  /// `source` is an index into the draft's sources. `place` is where what is wrong with a lookup is
  /// reported, `reader` who reads it: "view 'maker'". All references must outlive the scope.
  EventScope(Draft& draft, int source, SourcePosition place, std::string reader,
             Diagnostics& errors)
      : draft_(draft),
        source_(source),
        place_(std::move(place)),
        reader_(std::move(reader)),
        errors_(errors) {}

  Binding find(std::string_view name) override;
  std::vector<std::string> names() const override;
  std::string description() const override;
  bool has_question_time() const override { return false; }
  const TimeZone* zone() const override { return draft_.project.zone; }

 private:
  Source& source() { return draft_.project.sources[static_cast<std::size_t>(source_)]; }
  const Source& source() const { return draft_.project.sources[static_cast<std::size_t>(source_)]; }
  Binding lookup_column(int view, std::string_view column);
  bool add_lookup(int view);
  ExprPtr key_of(const View& lookup, std::size_t key);
  ExprPtr declared_key(const std::string& name, const ExpressionText& text);

  Draft& draft_;
  int source_;
  SourcePosition place_;
  std::string reader_;
  Diagnostics& errors_;
  std::vector<std::string> path_;  // keys and lookups being settled, for a message about a cycle
};

}  // namespace coeval::define
