#include "replay/spilled_answers.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/stable_order.h"
#include "base/worker_pool.h"
#include "data/hash.h"
#include "define/event_lookups.h"
#include "exact/key_hash.h"
#include "kernel/key_bytes.h"
#include "kernel/record_layout.h"
#include "replay/spilled_rows.h"

namespace coeval::replay {

namespace {

using KeyColumns = std::vector<const data::Column*>;

// The program, its libraries, and what reads and writes files.
constexpr std::int64_t kProgramBytes = 72 << 20;
constexpr std::int64_t kLeastPartBytes = 12 << 20;
constexpr std::size_t kMostPartitions = 4096;
constexpr std::int64_t kBatchRows = 1 << 17;  // of files
constexpr std::int64_t kTextBytes = 48;       // of a string, as far as is known before it is read
constexpr std::int64_t kAnsweredRows = 1 << 13;

std::int64_t bytes_of(data::Type type) {
  return data::has_bytes(type) ? kTextBytes : static_cast<std::int64_t>(data::width(type));
}

std::int64_t bytes_of(const data::Schema& schema) {
  std::int64_t bytes = 0;
  for (const auto& field : schema.fields) bytes += bytes_of(field.type);
  return bytes;
}

// An event while its partition is answered: its row twice, as read and as put together, its record,
// times and orders, and the sums before it.
std::int64_t bytes_of_event(const define::View& view, const define::Source& source) {
  const auto layout = kernel::RecordLayout::create(view, source.event_schema());
  // Rows of sums may take four records and a dozen words, twice where each event has a key of its
  // own.
  return 2 * bytes_of(source.schema) + 256 + 10 * static_cast<std::int64_t>(layout.stride);
}

std::string in_megabytes(std::int64_t bytes) {
  return std::to_string((bytes + 999'999) / 1'000'000) + "MB";
}

std::unexpected<Error> too_little(std::int64_t needed, const std::string& why) {
  return fail(Code::usage, "--memory is too little: " + why,
              "give at least --memory " + in_megabytes(needed));
}

std::unexpected<Error> not_supported(const std::string& what) {
  return fail(Code::unsupported, what + ": not supported with --memory yet",
              "leave --memory out; --bucket makes parts that need less");
}

// One view on its way through the disk.
struct SpilledView {
  int view = 0;
  std::vector<std::uint16_t> parts;  // of each question
  std::vector<std::size_t> wanted;   // columns of its answers that are read
  std::int64_t event_bytes = 0;
  std::size_t partitions = 1;
  std::optional<EntityFilter> asked;
  std::optional<SpilledRows> rows, answers;
  std::vector<SpilledRows::Cursor> cursors;  // by partition
};

std::size_t partition_of(std::uint64_t hash, std::size_t partitions) {
  // Other bits than those that choose a bucket.
  return static_cast<std::size_t>((exact::mix(hash ^ 0x5BF03635) >> 32) * partitions >> 32);
}

// A string column as the kernel makes it: each text once, in the order in which they come, a null
// being the empty text. (kernel/answer_columns.cc)
data::Column recoded(const data::Column& column) {
  std::unordered_map<std::string_view, std::int32_t> codes;
  data::ColumnBuilder dictionary(column.type());
  std::vector<std::int32_t> coded;
  std::vector<std::uint8_t> validity;
  if (column.has_nulls())
    validity.assign(column.validity_data(), column.validity_data() + (column.size() + 7) / 8);
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const std::string_view text = column.is_null(row) ? std::string_view() : column.string(row);
    const auto [place, fresh] = codes.try_emplace(text, static_cast<std::int32_t>(codes.size()));
    if (fresh) dictionary.append_string(text);
    coded.push_back(place->second);
  }
  return data::Column::coded(std::move(coded),
                             std::make_shared<const data::Column>(dictionary.finish()),
                             std::move(validity));
}

// Answers by way of the disk, view by view and partition by partition.
class Spill {
 public:
  Spill(std::shared_ptr<const define::Project> project, const OpenFormat& formats,
        const Questions& questions, const define::RowSchema& row, const AnswerOptions& options,
        const SpillOptions& spill)
      : project_(std::move(project)),
        formats_(formats),
        questions_(questions),
        row_(row),
        options_(options),
        spill_(spill),
        order_(stable_order(questions.at_us)),
        pool_(options.threads) {}

  std::span<const std::int64_t> order() const { return order_; }

  Status find(std::span<const define::Input> inputs) {
    COEVAL_TRY(check());
    for (const int view : views_of(row_)) plan(view);
    COEVAL_TRY(plan_memory(inputs));
    for (auto& view : views_) COEVAL_TRY(divide_questions(view));
    work_ = questions_.columns.rows;
    for (const int source : sources_of(*project_, views_of(row_))) {
      COEVAL_ASSIGN(const std::int64_t rows, rows_of_file(source));
      work_ += rows * (1 + std::ranges::count_if(views_, [&](const SpilledView& view) {
                         return definition(view).source == source;
                       }));
    }
    for (const int source : sources_of(*project_, views_of(row_))) COEVAL_TRY(spill_events(source));
    for (auto& view : views_) COEVAL_TRY(answer(view));
    return {};
  }

  // Progress of the questions counts behind that of the events.
  AnswerOptions answering() {
    AnswerOptions options = options_;
    if (options_.progress)
      options.progress = [this](std::int64_t done, std::int64_t) {
        options_.progress(work_ - questions_.columns.rows + done, work_);
      };
    return options;
  }

  Result<Features> next(std::span<const std::int64_t> rows) {
    Features features(project_->views.size());
    for (auto& view : views_) {
      COEVAL_ASSIGN(features[static_cast<std::size_t>(view.view)], gather(view, rows));
    }
    return features;
  }

 private:
  const define::View& definition(const SpilledView& view) const {
    return project_->views[static_cast<std::size_t>(view.view)];
  }
  const define::Source& source(int index) const {
    return project_->sources[static_cast<std::size_t>(index)];
  }

  Status check() const {
    const std::vector<int> views = views_of(row_);
    if (!row_.keys.empty()) return not_supported("keys that other views find");
    if (!define::looked_up_sources(*project_, views).empty())
      return not_supported("views whose events look rows of another source up");
    for (const int index : sources_of(*project_, views))
      if (source(index).has_names())
        return not_supported("events with an id, such as those of source '" + source(index).name +
                             "'");
    return {};
  }

  void plan(int index) {
    SpilledView& view = views_.emplace_back();
    view.view = index;
    const define::View& defined = definition(view);
    const auto approximate = kernel::approximate_features(defined);
    for (std::size_t i = 0; i < defined.feature_count(); ++i)
      if (std::ranges::find(row_.view_features, define::ViewFeature{index, static_cast<int>(i)}) !=
          row_.view_features.end())
        view.wanted.push_back(i);
    for (std::size_t i = 0; i < approximate.size(); ++i)
      view.wanted.push_back(defined.feature_count() + i);
    view.event_bytes = bytes_of_event(defined, source(defined.source));
  }

  data::Schema answer_schema(const SpilledView& view) const {
    const define::View& defined = definition(view);
    data::Schema schema;
    for (const std::size_t column : view.wanted) {
      const bool feature = column < defined.feature_count();
      schema.fields.push_back({"f" + std::to_string(column),
                               feature ? defined.feature_type(column) : data::Type::boolean,
                               feature});
    }
    return schema;
  }

  // What does not depend on how the events are divided.
  std::int64_t fixed_bytes(std::span<const define::Input> inputs) const {
    const std::int64_t asked = questions_.columns.rows;
    const auto views = static_cast<std::int64_t>(views_.size());
    const std::int64_t columns = bytes_of(questions_.columns.schema);
    std::int64_t answered = 0, read = 0;
    for (const auto& view : views_) {
      answered += bytes_of(answer_schema(view));
      read = std::max(read, bytes_of(source(definition(view).source).schema));
    }
    for (const auto& input : inputs) answered += bytes_of(input.type);
    return kProgramBytes + asked * (columns + 3 * 8 + views * 6) +
           options_.chunk_rows * 3 * (answered + columns) + kBatchRows * 8 * read;
  }

  Status plan_memory(std::span<const define::Input> inputs) {
    const std::int64_t fixed = fixed_bytes(inputs);
    if (spill_.memory_bytes < fixed + 2 * kLeastPartBytes)
      return too_little(fixed + 2 * kLeastPartBytes,
                        std::to_string(questions_.columns.rows) + " questions stay in memory");
    available_ = spill_.memory_bytes - fixed;
    for (auto& view : views_) {
      COEVAL_ASSIGN(const std::int64_t rows, rows_of_file(definition(view).source));
      const std::int64_t wanted = available_ / 2 / view.event_bytes;
      const std::int64_t needed = spill_.partitions > 0 ? spill_.partitions : rows / wanted + 1;
      view.partitions = std::min(static_cast<std::size_t>(needed), kMostPartitions);
      if (definition(view).keys.empty()) view.partitions = 1;  // there is one entity
      view.cursors.resize(view.partitions);
      COEVAL_ASSIGN(view.rows,
                    SpilledRows::create(spill_.folder, source(definition(view).source).schema,
                                        view.partitions));
      COEVAL_ASSIGN(view.answers,
                    SpilledRows::create(spill_.folder, answer_schema(view), view.partitions));
    }
    return {};
  }

  Result<std::int64_t> rows_of_file(int index) const {
    const std::string path = source_path(*project_, index);
    if (path.empty()) return 0;
    const auto failed = [&](Error error) {
      return std::unexpected(
          std::move(error).within("reading source '" + source(index).name + "'"));
    };
    auto files = formats_(path);
    if (!files) return failed(std::move(files).error());
    stores::ReadOptions read;
    read.schema = source(index).schema;
    read.columns = {
        source(index).schema.fields[static_cast<std::size_t>(source(index).time_index)].name};
    auto reader = (*files)->open(path, read);
    if (!reader) return failed(std::move(reader).error());
    std::int64_t rows = (*reader)->rows();
    if (rows >= 0) return rows;
    for (rows = 0;;) {  // a text says it at its end
      const auto part = (*reader)->next();
      if (!part) return failed(part.error());
      if ((*reader)->at_end(*part)) return rows;
      rows += part->rows;
    }
  }

  // A question whose key has a null is in the first partition: no event is its.
  Status divide_questions(SpilledView& view) {
    KeyColumns keys;
    for (const auto& name : definition(view).keys)
      if (questions_.columns.find(name) == nullptr)
        return fail(Code::missing_value, "the questions have no column '" + name + "'",
                    "view '" + definition(view).name + "' is asked by it");
    find_keys(definition(view), questions_.columns, keys);
    view.asked.emplace(static_cast<std::size_t>(questions_.columns.rows));
    view.parts.resize(static_cast<std::size_t>(questions_.columns.rows));
    std::string key;
    for (std::int64_t row = 0; row < questions_.columns.rows; ++row) {
      if (!kernel::make_key(key, keys, row)) continue;
      const std::uint64_t hash = data::xxh3_64(key);
      view.asked->add(hash);
      view.parts[static_cast<std::size_t>(row)] =
          static_cast<std::uint16_t>(partition_of(hash, view.partitions));
    }
    return {};
  }

  Status spill_events(int index) {
    HistoryOptions options;
    options.cut_us = spill_.as_of_us;
    const auto sink = [&](data::Batch rows) -> Status {
      work_on(rows.rows);
      for (auto& view : views_)
        if (definition(view).source == index) COEVAL_TRY(spill_rows(view, rows));
      return {};
    };
    COEVAL_ASSIGN(const auto counts, stream_history(*project_, index, formats_, options, sink));
    if (spill_.read) spill_.read(index, counts);
    return {};
  }

  // Events that nobody asks about are dropped.
  Status spill_rows(SpilledView& view, const data::Batch& rows) {
    KeyColumns keys;
    find_keys(definition(view), rows, keys);
    std::vector<std::vector<std::int64_t>> parts(view.partitions);
    std::string key;
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      if (!kernel::make_key(key, keys, row)) continue;
      const std::uint64_t hash = data::xxh3_64(key);
      if (view.asked->may_have(hash)) parts[partition_of(hash, view.partitions)].push_back(row);
    }
    return view.rows->append(rows, parts, pool_);
  }

  // The questions of each partition, one partition after the other, each in the order of T.
  std::vector<std::vector<std::int64_t>> questions_by_part(const SpilledView& view) const {
    std::vector<std::size_t> counts(view.partitions);
    for (const std::uint16_t part : view.parts) ++counts[part];
    std::vector<std::vector<std::int64_t>> out(view.partitions);
    for (std::size_t p = 0; p < out.size(); ++p) out[p].reserve(counts[p]);
    for (const std::int64_t row : order_)
      out[view.parts[static_cast<std::size_t>(row)]].push_back(row);
    return out;
  }

  Status answer(SpilledView& view) {
    view.asked.reset();
    auto questions = questions_by_part(view);
    for (std::size_t p = 0; p < view.partitions; ++p) {
      COEVAL_TRY(answer_part(view, p, std::exchange(questions[p], {})));
      work_on(view.rows->rows(p));
    }
    view.rows.reset();
    return {};
  }

  // In rows: each is read once, and answered for each of its views.
  void work_on(std::int64_t rows) {
    done_ += rows;
    if (options_.progress) options_.progress(std::min(done_, work_), work_);
  }

  Status answer_part(SpilledView& view, std::size_t part, const std::vector<std::int64_t>& rows) {
    if (rows.empty()) return {};
    const std::int64_t needed = view.rows->rows(part) * view.event_bytes;
    if (needed > available_)
      return too_little(spill_.memory_bytes - available_ + needed,
                        "an entity of view '" + definition(view).name +
                            "' is too large, or several of one "
                            "partition are: " +
                            std::to_string(view.rows->rows(part)) + " events");
    COEVAL_ASSIGN(Past past, past_of(view, part));
    Questions asked;
    asked.columns.rows = std::ssize(rows);
    for (const auto& key : definition(view).keys) {
      const int column = questions_.columns.schema.index_of(key);
      if (asked.columns.schema.index_of(key) >= 0) continue;
      asked.columns.schema.fields.push_back(
          questions_.columns.schema.fields[static_cast<std::size_t>(column)]);
      asked.columns.columns.push_back(
          data::take(questions_.columns.columns[static_cast<std::size_t>(column)], rows));
    }
    for (const std::int64_t row : rows)
      asked.at_us.push_back(questions_.at_us[static_cast<std::size_t>(row)]);
    AnswerOptions options;
    options.threads = options_.threads;
    options.chunk_rows = block_rows(view);
    return answer_views(project_, past, asked, {view.view}, options,
                        [&](Features features) -> Status {
                          return keep(view, part, features[static_cast<std::size_t>(view.view)]);
                        });
  }

  // A block of each partition of each view is in memory at the end.
  std::int64_t block_rows(const SpilledView& view) const {
    std::int64_t bytes = 1;
    for (const auto& each : views_)
      bytes += static_cast<std::int64_t>(each.partitions) * bytes_of(answer_schema(each));
    const std::int64_t all = std::clamp<std::int64_t>(available_ / 4 / bytes, 16, kAnsweredRows);
    return view.partitions == 1 ? kAnsweredRows : all;
  }

  Result<Past> past_of(const SpilledView& view, std::size_t part) const {
    Past past;
    past.sources.resize(project_->sources.size());
    const int index = definition(view).source;
    SourceHistory& history = past.sources[static_cast<std::size_t>(index)];
    history.source = index;
    COEVAL_ASSIGN(history.rows, view.rows->read(part));
    history.known_us = known_times(source(index), history.rows, nullptr);
    // Rows of a partition come in the order of the file, which settles ties as there.
    history.order = stable_order(history.known_us);
    return past;
  }

  Status keep(SpilledView& view, std::size_t part, const std::vector<data::Column>& columns) {
    data::Batch batch{answer_schema(view), {}, columns.front().size()};
    for (const std::size_t column : view.wanted) batch.columns.push_back(columns[column]);
    return view.answers->append(batch, part);
  }

  // The columns of a view for some questions, put together from those of its partitions.
  Result<std::vector<data::Column>> gather(SpilledView& view, std::span<const std::int64_t> rows) {
    std::vector<std::int64_t> counts(view.partitions), places(rows.size());
    for (const std::int64_t row : rows) ++counts[view.parts[static_cast<std::size_t>(row)]];
    std::vector<data::Batch> pieces;
    for (std::size_t p = 0; p < view.partitions; ++p)
      COEVAL_TRY(view.cursors[p].take(*view.answers, p, counts[p], pieces));
    std::int64_t before = 0;
    for (auto& count : counts) before += std::exchange(count, before);
    for (std::size_t i = 0; i < rows.size(); ++i)
      places[i] = counts[view.parts[static_cast<std::size_t>(rows[i])]]++;
    data::Batch answers;
    if (!pieces.empty()) {
      COEVAL_ASSIGN(const data::Batch together, data::concatenate(pieces));
      answers = data::take(together, places);
    } else {
      COEVAL_ASSIGN(answers, view.answers->read(0));
    }
    std::vector<data::Column> columns(definition(view).feature_count() +
                                      kernel::approximate_features(definition(view)).size());
    for (std::size_t i = 0; i < view.wanted.size(); ++i) {
      data::Column& column = answers.columns[i];
      columns[view.wanted[i]] =
          data::has_bytes(column.type()) ? recoded(column) : std::move(column);
    }
    return columns;
  }

  const std::shared_ptr<const define::Project> project_;
  const OpenFormat& formats_;
  const Questions& questions_;
  const define::RowSchema& row_;
  const AnswerOptions& options_;
  const SpillOptions& spill_;
  const std::vector<std::int64_t> order_;
  WorkerPool pool_;
  std::vector<SpilledView> views_;
  std::int64_t available_ = 0;        // for events and answers
  std::int64_t work_ = 0, done_ = 0;  // in rows
};

}  // namespace

Status answer_spilled(std::shared_ptr<const define::Project> project, const OpenFormat& formats,
                      const Questions& questions, const define::RowSchema& row,
                      std::span<const define::Input> inputs, const AnswerOptions& options,
                      const SpillOptions& spill, const std::function<Status(Answers)>& sink) {
  return answer_bucket(*project, questions, row, options, sink,
                       [&](const Questions& asked, const auto& to) -> Status {
                         Spill answers(project, formats, asked, row, options, spill);
                         COEVAL_TRY(answers.find(inputs));
                         const auto next = [&](std::span<const std::int64_t> rows) {
                           return answers.next(rows);
                         };
                         return answer_blocks(*project, asked, answers.order(), row, inputs,
                                              answers.answering(), next, to);
                       });
}

}  // namespace coeval::replay
