#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/worker_pool.h"
#include "cli/commands.h"
#include "cli/ingest_context.h"
#include "ingest/row_intake.h"
#include "ingest/table_pieces.h"
#include "quality/correlation.h"
#include "quality/personal_data.h"
#include "quality/profile.h"
#include "quality/profile_summary.h"

namespace coeval::cli {

namespace {

constexpr std::string_view kProfileEnding = ".profile";
// A pair takes some 20 KB.
constexpr std::size_t kMostCorrelated = 128;

bool can_correlate(data::Type type) {
  return type != data::Type::string && type != data::Type::null && !data::is_list(type);
}

// Correlations of each two columns of numbers, over pieces.
class Correlations {
 public:
  static Result<Correlations> create(const data::Schema& schema) {
    Correlations all;
    for (std::size_t i = 0; i < schema.fields.size(); ++i)
      if (can_correlate(schema.fields[i].type)) all.columns_.push_back(i);
    if (all.columns_.size() > kMostCorrelated)
      return fail(Code::unsupported,
                  "the source has " + std::to_string(all.columns_.size()) +
                      " columns of numbers, and at most " + std::to_string(kMostCorrelated) +
                      " are correlated in one run",
                  "define a source over fewer of them");
    all.pairs_.resize(all.columns_.size() * all.columns_.size());
    return all;
  }

  void add(const data::Batch& rows, WorkerPool& pool) {
    const auto count = static_cast<int>(columns_.size());
    pool.run(columns_.size(), [&](std::size_t part) {
      const int x = static_cast<int>(part);
      for (int y = x + 1; y < count; ++y) at(x, y).add(column(rows, x), column(rows, y));
    });
  }

  data::Json json(const data::Schema& schema) {
    data::Json list{data::Json::Array{}};
    each(schema, [&](const std::string& x, const std::string& y, const quality::Correlation& of) {
      data::Json one{data::Json::Object{}};
      one.set("x", x);
      one.set("y", y);
      one.set("rows_count", of.rows());
      one.set("correlation", of.value() ? data::Json(*of.value()) : data::Json());
      list.push(std::move(one));
    });
    return list;
  }

  std::string text(const data::Schema& schema) {
    std::string out = "correlations (Pearson)\n";
    each(schema, [&](const std::string& x, const std::string& y, const quality::Correlation& of) {
      char value[32] = "none";
      if (of.value()) std::snprintf(value, sizeof value, "%+.4f", *of.value());
      out += "  " + x + " × " + y + ": " + value + " over " + std::to_string(of.rows()) + " rows\n";
    });
    return out;
  }

 private:
  const data::Column& column(const data::Batch& rows, int i) const {
    return rows.columns[columns_[static_cast<std::size_t>(i)]];
  }
  quality::Correlation& at(int x, int y) {
    return pairs_[static_cast<std::size_t>(x) * columns_.size() + static_cast<std::size_t>(y)];
  }
  template <class Visit>
  void each(const data::Schema& schema, Visit visit) {
    const auto count = static_cast<int>(columns_.size());
    for (int x = 0; x < count; ++x)
      for (int y = x + 1; y < count; ++y)
        visit(schema.fields[columns_[static_cast<std::size_t>(x)]].name,
              schema.fields[columns_[static_cast<std::size_t>(y)]].name, at(x, y));
  }

  std::vector<std::size_t> columns_;
  std::vector<quality::Correlation> pairs_;
};

// What the files of a source hold, of rows that may stay.
struct Described {
  quality::Profile profile;
  std::optional<Correlations> correlations;
  std::int64_t left_out = 0;  ///< rows that break rules of severity error
};

Result<Described> describe(Context& context, int source, const std::vector<std::string>& files) {
  const auto& declared = context.project->sources[static_cast<std::size_t>(source)];
  Described out{quality::Profile(declared.schema), std::nullopt, 0};
  if (context.in.correlations) {
    COEVAL_ASSIGN(out.correlations, Correlations::create(declared.schema));
  }
  WorkerPool pool(context.threads());
  COEVAL_ASSIGN(const auto intake, ingest::RowIntake::create(declared));
  for (const std::string& file : files) {
    if (file.ends_with(kProfileEnding)) {
      COEVAL_ASSIGN(const auto shard, quality::read_profile(file));
      if (auto merged = out.profile.merge(shard); !merged)
        return std::unexpected(
            Error(merged.error()).within("'" + file + "' is of other columns than the source"));
      continue;
    }
    COEVAL_TRY(ingest::read_pieces(declared, context.formats, file, 0,
                                   [&](const ingest::Piece& piece) -> Status {
                                     COEVAL_ASSIGN(const auto taken, intake.take(piece));
                                     out.left_out += std::ssize(taken.quarantined);
                                     if (taken.accepted.rows == 0) return {};
                                     if (out.correlations)
                                       out.correlations->add(taken.accepted, pool);
                                     return out.profile.add(taken.accepted, &pool);
                                   }));
  }
  return out;
}

Result<std::vector<std::string>> files_to_describe(const Context& context, int source) {
  if (context.in.correlations)
    for (const std::string& file : context.in.files)
      if (file.ends_with(kProfileEnding))
        return fail(Code::usage, "a profile does not hold correlations: '" + file + "'",
                    "name tables");
  if (!context.in.files.empty()) return context.in.files;
  const std::string own = replay::source_path(*context.project, source);
  if (own.empty())
    return fail(Code::usage, "the source has no file of its own", "coeval profile SOURCE FILE…");
  return std::vector{own};
}

Result<int> describe_source(Context& context) {
  COEVAL_ASSIGN(const int source, pick_source(context, context.in.source));
  COEVAL_ASSIGN(const auto files, files_to_describe(context, source));
  if (!context.in.out.empty() && !context.in.out.ends_with(kProfileEnding))
    return fail(Code::usage, "'" + context.in.out + "' does not end in .profile",
                "name a new file, such as --out " + context.in.source + ".profile");
  COEVAL_ASSIGN(Described found, describe(context, source, files));
  if (!context.in.out.empty()) COEVAL_TRY(quality::write_profile(context.in.out, found.profile));
  const auto& schema = found.profile.schema();
  const std::vector<std::string> personal =
      quality::personal_columns(context.project->sources[static_cast<std::size_t>(source)]);
  quality::ProfileSummary summary = found.profile.summary();
  for (auto& column : summary.columns)
    if (std::ranges::find(personal, column.name) != personal.end())
      column = quality::without_values(std::move(column));
  if (context.terminal.json()) {
    data::Json json = quality::to_json(summary);
    json.set("left_out_count", found.left_out);
    if (found.correlations) json.set("correlations", found.correlations->json(schema));
    context.terminal.print_json(json);
    return 0;
  }
  std::string text = quality::to_text(summary);
  if (found.correlations) text += found.correlations->text(schema);
  while (text.ends_with('\n')) text.pop_back();
  context.terminal.print(text);
  if (found.left_out > 0)
    context.terminal.say(std::to_string(found.left_out) + " rows break rules and are left out");
  if (!context.in.out.empty()) {
    context.terminal.say("written to " + context.in.out);
    for (const std::string& column : personal)
      context.terminal.say("warning: it holds values of the personal column '" + column + "'");
  }
  return 0;
}

}  // namespace

int profile(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto done = describe_source(context);
  return done ? *done : context.report(done.error());
}

}  // namespace coeval::cli
