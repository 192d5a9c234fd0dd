#include "training/model_card.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "define/model_metrics.h"
#include "quality/proposal.h"
#include "training/evidence.h"
#include "training/gates.h"
#include "training/gather_evidence.h"
#include "training/model_card_parts.h"
#include "training/model_card_words.h"

namespace coeval::training {
namespace {

using data::Json;
using Kind = CardText::Kind;

// A card is read by people: beyond so many rows a table is cut, and says so.
constexpr std::size_t kMostSlices = 50;
constexpr std::size_t kMostTrials = 10;
// Below so many rows of a class a part's metrics move by chance.
constexpr std::int64_t kFewRows = 100;

constexpr SplitPart kParts[] = {SplitPart::train, SplitPart::validate, SplitPart::calibrate,
                                SplitPart::threshold, SplitPart::test};

const std::string* text_of(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  return found == nullptr ? nullptr : found->string();
}

std::string text_or_dash(const Json& json, std::string_view key) {
  const std::string* text = text_of(json, key);
  return text == nullptr ? "–" : *text;
}

class Card {
 public:
  explicit Card(const CardSubject& subject)
      : subject_(subject), project_(subject.project), model_(subject.model) {
    if (const std::string* text = text_of(subject.card.details, "definition")) definition_ = *text;
    const Json* json = subject.card.details.find("evidence");
    if (json == nullptr) return;
    if (auto evidence = evidence_from_json(*json)) evidence_ = std::move(*evidence);
  }

  CardDocument draw() {
    head();
    purpose();
    data();
    features();
    training();
    metrics();
    champion();
    gates();
    slices();
    limits();
    identity();
    return std::move(out_);
  }

 private:
  CardSection& section(std::string title) {
    out_.sections.push_back({std::move(title), {}});
    return out_.sections.back();
  }
  static void say(CardSection& to, std::vector<CardText> pieces) {
    to.blocks.emplace_back(CardParagraph{std::move(pieces)});
  }

  bool is_binary() const { return model_.kind == define::ModelKind::binary; }
  bool is_regression() const { return model_.kind == define::ModelKind::regression; }
  bool is_multiclass() const { return model_.kind == define::ModelKind::multiclass; }
  bool is_ranking() const { return model_.kind == define::ModelKind::ranking; }

  // What the score of a regression is.
  std::string score_meaning() const {
    switch (model_.loss.kind) {
      case define::Loss::Kind::squared:
        return "the number that is expected: the mean of the label";
      case define::Loss::Kind::absolute:
        return "the median of the label: one half is expected above it";
      case define::Loss::Kind::quantile:
        break;
    }
    return "the quantile " + fixed_text(model_.loss.quantile, 3) +
           " of the label: that share is expected below it";
  }

  const Json* part_of(SplitPart part) const { return subject_.metrics.find(name(part)); }

  void head() {
    out_.title = model_.name + ", version " + std::to_string(subject_.version);
    out_.subtitle = "Model card · project " + project_.name + " · made " +
                    text_or_dash(subject_.card.details, "created") + " · " + subject_.card.engine +
                    " · definition " + subject_.card.ir_hash.substr(0, 12);
    std::size_t failed = 0;
    const Json* verdicts = subject_.card.details.find("gates");
    const bool judged = verdicts != nullptr && verdicts->array() != nullptr;
    for (std::size_t i = 0; judged && i < verdicts->array()->size(); ++i)
      failed += passed((*verdicts->array())[i]) ? 0 : 1;
    out_.verdict = !judged      ? CardText{"gates not recorded", Kind::failed}
                   : failed > 0 ? CardText{std::to_string(failed) + " gates failed", Kind::failed}
                                : CardText{"all gates passed", Kind::passed};
    const Json* test = part_of(SplitPart::test);
    if (test == nullptr) return;
    if (is_regression()) {
      out_.headline = {{"RMSE, test", metric_text(*test, "rmse")},
                       {"MAE", metric_text(*test, "mae")},
                       {"R²", metric_text(*test, "r_squared")},
                       {"mean of the label", metric_text(*test, "label_mean")},
                       {"test rows", count_text(*test, "rows")},
                       {"loss", define::loss_text(model_.loss)}};
      return;
    }
    if (is_multiclass()) {
      out_.headline = {{"log loss, test", metric_text(*test, "log_loss")},
                       {"accuracy", metric_text(*test, "accuracy")},
                       {"macro F1", metric_text(*test, "macro_f1")},
                       {"macro AUC", metric_text(*test, "macro_auc")},
                       {"test rows", count_text(*test, "rows")},
                       {"classes", std::to_string(model_.classes.size())}};
      return;
    }
    if (is_ranking()) {
      const std::string at = "@" + std::to_string(model_.rank_k);
      out_.headline = {{"NDCG" + at + ", test", metric_text(*test, "ndcg")},
                       {"MAP" + at, metric_text(*test, "map")},
                       {"MRR" + at, metric_text(*test, "mrr")},
                       {"hit rate" + at, metric_text(*test, "hit_rate")},
                       {"test rows", count_text(*test, "rows")},
                       {"queries", count_text(*test, "queries")}};
      return;
    }
    out_.headline = {
        {"AUC, test", metric_text(*test, "auc")},
        {"average precision", metric_text(*test, "average_precision")},
        {"calibration error", metric_text(*test, "calibration_error")},
        {"test rows", count_text(*test, "rows")},
        {"positive", share_text(count_of(*test, "positives"), count_of(*test, "rows"))},
        {"threshold", fixed_text(subject_.card.threshold, 4)}};
  }

  static bool passed(const Json& verdict) {
    const Json* found = verdict.find("passed");
    return found != nullptr && found->boolean() != nullptr && *found->boolean();
  }

  void purpose() {
    CardSection& to = section("Purpose");
    if (auto lines = comments_of(definition_, model_.name); !lines.empty())
      to.blocks.emplace_back(CardQuote{std::move(lines)});
    const auto& source = project_.sources[static_cast<std::size_t>(model_.source)];
    say(to, {{"One question for each row of "},
             code(source.name),
             {", asked at its "},
             code(model_.at_column),
             {is_regression()   ? ". The score is " + score_meaning() + "."
              : is_ranking()    ? ". Rows that share " + model_.training.resampling.name +
                                      " are a query; their scores order them, the highest first."
              : is_multiclass() ? ". There is a score for each class: its probability. " +
                                      std::string(model_.cost_matrix.empty()
                                                      ? "The likeliest class is the decision."
                                                      : "The class of least expected cost is the "
                                                        "decision.")
                                : ". The score is the probability that the label is true."}});
    const std::string label = label_text(definition_, model_);
    if (model_.label_events) {
      const auto& events = *model_.label_events;
      std::string keys;
      for (const std::string& key : events.keys) keys += (keys.empty() ? "" : ", ") + key;
      say(to, {{"The label is true where an event of "},
               code(project_.sources[static_cast<std::size_t>(events.source)].name),
               {" with the same "},
               code(keys),
               {" and "},
               code(label),
               {" happens within "},
               {format_duration(events.within_us) + " of the question."}});
    } else {
      say(to, {{"The label is "}, code(label), {" of the same row."}});
    }
    if (model_.label_known)
      say(to, {{"It is known at "}, code(plain_text(*model_.label_known)), {"."}});
    if (!is_binary()) return;
    say(to, {{"A score of " + fixed_text(subject_.card.threshold, 6) +
              " or more is decided as true: the threshold is " + threshold_text(model_) + "."}});
  }

  void data() {
    CardSection& to = section("Data");
    if (subject_.facts) {
      CardTable sources{"Sources, by what was read of them",
                        {{"source"},
                         number("read"),
                         number("accepted"),
                         number("quarantined"),
                         number("duplicates"),
                         {"first event"},
                         {"last event"}},
                        {}};
      for (const SourceFacts& facts : subject_.facts->sources) {
        const auto& rows = facts.rows;
        const bool any = rows.accepted > 0;
        sources.rows.push_back({code(facts.source),
                                count(rows.read),
                                count(rows.accepted),
                                count(rows.quarantined),
                                count(rows.duplicates),
                                {any ? format_time(facts.first_us) : "–"},
                                {any ? format_time(facts.last_us) : "–"}});
      }
      to.blocks.emplace_back(std::move(sources));
    } else {
      say(to, {{"The dataset is no longer beside the model, so what was read of the sources is not "
                "told here."}});
    }
    CardTable parts{
        "Parts, by the time of the question", {{"part"}, {"from"}, {"until"}, number("rows")}, {}};
    if (is_binary()) {
      parts.columns.push_back(number("positive"));
      parts.columns.push_back(number("share"));
    }
    std::string from = first_time();
    for (const SplitPart part : kParts) {
      const auto until = end_of(model_.split, part);
      if (!until) continue;
      const auto rows = counts_of(part);
      if (rows) {
        auto& row = parts.rows.emplace_back(std::vector<CardText>{
            {std::string(name(part))}, {from}, {format_time(*until)}, count(rows->rows)});
        if (is_binary()) {
          row.push_back(count(rows->positives));
          row.push_back(number(share_text(rows->positives, rows->rows)));
        }
      }
      from = format_time(*until);
    }
    to.blocks.emplace_back(std::move(parts));
    if (model_.split.gap_us > 0)
      say(to, {{"Rows of the last " + format_duration(model_.split.gap_us) +
                " of each part but the test's, and rows whose label was known only after the part, "
                "are in none."}});
  }

  std::string first_time() const {
    if (!subject_.facts) return "–";
    const auto& source = project_.sources[static_cast<std::size_t>(model_.source)];
    for (const SourceFacts& facts : subject_.facts->sources)
      if (facts.source == source.name && facts.rows.accepted > 0)
        return format_time(facts.first_us);
    return "–";
  }

  std::optional<PartCount> counts_of(SplitPart part) const {
    if (subject_.facts) {
      const PartCount& count = subject_.facts->counts.of(part);
      if (count.rows > 0) return count;
      return std::nullopt;
    }
    const Json* json = part_of(part);
    if (json == nullptr) return std::nullopt;
    return PartCount{count_of(*json, "rows").value_or(0), count_of(*json, "positives").value_or(0)};
  }

  void features() {
    CardSection& to = section("Features");
    say(to, {{"An input counts only what was known when the question was asked; the definition was "
              "refused if that could not be proved."}});
    CardTable table{"", {{"input"}, {"type"}, {"made of"}, {"known"}}, {}};
    const bool weighed =
        subject_.importance && subject_.importance->mean_size.size() == model_.inputs.size();
    if (weighed) table.columns.push_back(number("importance"));
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      const define::Input& input = model_.inputs[i];
      table.rows.push_back({code(input.name),
                            {std::string(data::name(input.type))},
                            {made_of(project_, model_, input)},
                            {known_text(project_, model_, input)}});
      if (weighed)
        table.rows.back().push_back(number(fixed_text(subject_.importance->mean_size[i], 4)));
    }
    to.blocks.emplace_back(std::move(table));
    if (!weighed) {
      const std::string why =
          subject_.no_importance.empty() ? "it could not be computed" : subject_.no_importance;
      say(to, {{"How much each input matters is not told: " + why + "."}});
      return;
    }
    const std::string rows =
        quality::with_separators(static_cast<std::int64_t>(subject_.importance->rows));
    say(to, {{std::string("Importance is the mean size of an input's contribution to the ") +
              (is_regression()   ? "prediction ("
               : is_ranking()    ? "score ("
               : is_multiclass() ? "margins, of all classes together ("
                                 : "margin (log odds; ") +
              "TreeSHAP) over the " + rows + " rows that the model's folder keeps."}});
    to.blocks.emplace_back(importance_plot(model_, *subject_.importance));
  }

  void training() {
    CardSection& to = section("Training");
    to.blocks.emplace_back(training_table(model_, subject_.card));
    const Json* trials = subject_.card.details.find("trials");
    if (trials == nullptr || trials->array() == nullptr) return;
    to.blocks.emplace_back(
        trials_table(*trials->array(), model_.training.search.metric, kMostTrials));
  }

  void metrics() {
    CardSection& to = section("Metrics");
    to.blocks.emplace_back(metrics_table(subject_.metrics, kParts, model_));
    const Json* test = part_of(SplitPart::test);
    if (test == nullptr) return say(to, {{"The test part has no metrics in this folder."}});
    say_intervals(to);
    say_project_metrics(to);
    if (auto table = confusion_table(*test)) to.blocks.emplace_back(std::move(*table));
    if (is_multiclass()) {
      to.blocks.emplace_back(classes_table(*test, model_.classes));
      to.blocks.emplace_back(decided_table(*test, model_.classes));
      return;
    }
    for (CardPlot& plot : test_plots(*test, subject_.card.threshold))
      to.blocks.emplace_back(std::move(plot));
    if (is_ranking()) return;
    if (test->find(is_regression() ? "plots" : "curves") == nullptr)
      say(to, {{"The curves of the test part were not kept with this version."}});
  }

  void say_intervals(CardSection& to) {
    if (!evidence_ || evidence_->intervals.empty()) return;
    std::string text = "Intervals are percentiles of the bootstrap, drawn by " +
                       evidence_->interval_unit + " over " +
                       quality::with_separators(evidence_->interval_units) + " units.";
    if (const auto& delong = evidence_->auc_delong)
      text += " DeLong's interval of the AUC, which takes rows as independent: " +
              fixed_text(delong->lower, 5) + " to " + fixed_text(delong->upper, 5) + ".";
    say(to, {{text}});
  }

  // What a metric of the project is made of.
  void say_project_metrics(CardSection& to) {
    for (const define::Metric& metric : model_.metrics) {
      std::vector<CardText> words = {code(metric.name),
                                     {" is the " + std::string(name(metric.kind)) + " of "},
                                     code(plain_text(*metric.value))};
      if (metric.divisor) {
        words.push_back({" by "});
        words.push_back(code(plain_text(*metric.divisor)));
      }
      words.push_back({metric.higher_is_better ? "; higher is better." : "; lower is better."});
      say(to, words);
    }
  }

  void champion() {
    CardSection& to = section("Against the champion");
    if (!evidence_) return say(to, {{"Nothing was recorded: this version has no evidence."}});
    if (evidence_->first_model)
      return say(to, {{"There was no champion yet: only absolute limits were judged."}});
    if (const auto why = evidence_->missing.find("champion"); why != evidence_->missing.end())
      return say(to, {{"Not compared: " + why->second + "."}});
    say(to, {{"On the same rows of the test part, with version " +
              std::to_string(evidence_->champion_version) +
              ". Above 0 is better, whichever way the metric points."}});
    to.blocks.emplace_back(comparison_table(evidence_->comparisons));
    say_cross_checks(to);
    const auto& slices = evidence_->slice_comparisons;
    if (slices.empty()) return;
    to.blocks.emplace_back(slice_comparison_table(
        slices, kMostSlices,
        [&](const std::string& slice) { return is_personal(project_, model_, slice); }));
    if (slices.size() > kMostSlices)
      say(to, {{std::to_string(slices.size() - kMostSlices) + " better ones are left out."}});
  }

  // Tests that take rows as independent.
  void say_cross_checks(CardSection& to) {
    std::string text;
    for (const Comparison& each : evidence_->comparisons)
      if (each.delong_p)
        text += "DeLong's test of the AUC: p " + fixed_text(*each.delong_p, 4) + ". ";
    if (const auto& decisions = evidence_->decisions)
      text += "McNemar's test of the decisions: " +
              quality::with_separators(decisions->candidate_only) + " are right only here, " +
              quality::with_separators(decisions->champion_only) + " only by the champion, p " +
              fixed_text(decisions->p_value, 4) + ". ";
    if (!text.empty())
      say(to, {{text + "Both take rows as independent, which the intervals above need not."}});
  }

  // A verdict may name the slice that was worst.
  std::string masked(std::string text) const {
    for (const auto& slice : model_.training.slices) {
      const std::string before = " where " + slice.name + " is ";
      const std::size_t at = text.find(before);
      if (at == std::string::npos || !is_personal(project_, model_, slice.name)) continue;
      const std::size_t from = at + before.size(), end = text.rfind(" (");
      const std::string after = end == std::string::npos || end < from ? "" : text.substr(end);
      text = text.substr(0, from) + "(personal)" + after;
    }
    return text;
  }

  void gates() {
    CardSection& to = section("Gates");
    const Json* verdicts = subject_.card.details.find("gates");
    if (verdicts == nullptr || verdicts->array() == nullptr)
      return say(to, {{"No verdicts were recorded with this version."}});
    CardTable table{"", {{"gate"}, {"verdict"}, {"measured"}}, {}};
    for (const Json& verdict : *verdicts->array())
      table.rows.push_back(
          {{text_or_dash(verdict, "gate")},
           passed(verdict) ? CardText{"passed", Kind::passed} : CardText{"failed", Kind::failed},
           {masked(text_or_dash(verdict, "measured"))}});
    to.blocks.emplace_back(std::move(table));
  }

  // What the slices are ordered by: the metric of a gate on the worst one, else the AUC.
  std::string slice_metric() const {
    for (const define::Gate& gate : model_.gates)
      if (gate.worst_slice) return gate.metric;
    return std::string(define::primary_metric(model_));
  }

  bool is_higher_better(const std::string& metric) const {
    const auto& own = model_.metrics;
    const auto found = std::ranges::find(own, metric, &define::Metric::name);
    return found == own.end() ? higher_is_better(metric) : found->higher_is_better;
  }

  void slices() {
    CardSection& to = section("Slices");
    if (!evidence_ || evidence_->slices.empty()) {
      const bool asked = evidence_ && !model_.training.slices.empty();
      const char* few = is_binary() ? "No value of the slices has enough rows of both classes."
                                    : "No value of the slices has enough rows.";
      return say(to, {{asked ? few : "The test part was not cut into slices."}});
    }
    const std::string metric = slice_metric();
    std::vector<const SliceEvidence*> order;
    for (const SliceEvidence& slice : evidence_->slices) order.push_back(&slice);
    const bool higher = is_higher_better(metric);
    std::ranges::stable_sort(order, [&](const SliceEvidence* a, const SliceEvidence* b) {
      const auto of_a = a->metrics.find(metric), of_b = b->metrics.find(metric);
      const bool has_a = of_a != a->metrics.end(), has_b = of_b != b->metrics.end();
      if (!has_a || !has_b) return has_a < has_b;  // undefined is worst
      return higher ? of_a->second < of_b->second : of_a->second > of_b->second;
    });
    CardTable table = slices_table(
        order, model_.kind, metric, kMostSlices,
        [&](const std::string& slice) { return is_personal(project_, model_, slice); });
    to.blocks.emplace_back(std::move(table));
    if (order.size() > kMostSlices)
      say(to, {{std::to_string(order.size() - kMostSlices) + " better ones are left out."}});
  }

  void limits() {
    CardSection& to = section("Limits");
    CardList list;
    const auto add = [&](std::string text) { list.items.push_back(std::move(text)); };
    const Json* test = part_of(SplitPart::test);
    if (test != nullptr)
      add("The metrics are of questions before " + format_time(model_.split.test_until_us) +
          ". Nothing here says how good the model is on later ones.");
    if (!evidence_ || evidence_->intervals.empty())
      add("Metrics have no intervals: this version was made before there were any.");
    for (const SplitPart part : kParts) {
      const auto rows = counts_of(part);
      if (!rows) continue;
      const std::int64_t least =
          is_binary() ? std::min(rows->positives, rows->rows - rows->positives) : rows->rows;
      if (least < kFewRows)
        add("The part " + std::string(name(part)) + " has only " + std::to_string(least) +
            (is_binary() ? " rows of its smaller class" : " rows") +
            ": its metrics move by chance.");
    }
    left_out(list);
    unmeasured(list);
    say_near_zero(list);
    if (is_ranking())
      add("Scores order the rows of one query. They are no probabilities, and those of different "
          "queries cannot be compared.");
    if (!subject_.card.calibration && !is_regression() && !is_ranking())
      add("Scores were not calibrated: read them as an order before you read them as "
          "probabilities.");
    to.blocks.emplace_back(std::move(list));
  }

  void say_near_zero(CardList& list) const {
    const Json* test = part_of(SplitPart::test);
    const auto rows = test == nullptr ? std::nullopt : count_of(*test, "mape_rows_near_zero");
    if (rows && *rows > 0)
      list.items.push_back("The labels of " + quality::with_separators(*rows) +
                           " test rows are near 0 and rule the MAPE: read WAPE instead.");
  }

  // Rows that no part has.
  void left_out(CardList& list) const {
    if (!subject_.facts) {
      list.items.emplace_back(
          "The dataset's facts are gone: rows that no part has were not counted.");
      return;
    }
    const auto tell = [&](SplitPart part, const std::string& why) {
      const std::int64_t rows = subject_.facts->counts.of(part).rows;
      if (rows > 0)
        list.items.push_back(quality::with_separators(rows) + (rows == 1 ? " row " : " rows ") +
                             why + ".");
    };
    tell(SplitPart::none, "lie outside all parts or have no label");
    tell(SplitPart::gap, "lie in the gap before the end of a part, or had their label after it");
    tell(SplitPart::stale, "have no answer, because a feature was stale");
    for (const SourceFacts& source : subject_.facts->sources)
      if (source.rows.quarantined > 0)
        list.items.push_back(quality::with_separators(source.rows.quarantined) + " rows of " +
                             source.source + " broke a rule and were left out.");
    if (!subject_.facts->faults.empty())
      list.items.push_back("The data broke its budgets: " + subject_.facts->faults + ".");
  }

  void unmeasured(CardList& list) const {
    if (!evidence_) {
      list.items.emplace_back(
          "This version was made without recorded evidence: no slices, costs or leak analysis.");
      return;
    }
    for (const auto& [what, why] : evidence_->missing)
      list.items.push_back("Not measured: " + what + " (" + why + ").");
    if (evidence_->first_model) list.items.emplace_back("No champion was there to compare with.");
    if (model_.training.slices.empty())
      list.items.emplace_back(
          "No slices are defined: a group that the model treats badly would not be "
          "seen here.");
    if (evidence_->small_slices > 0)
      list.items.push_back(quality::with_separators(evidence_->small_slices) +
                           " values of slices were not judged: fewer than " +
                           std::to_string(kSliceRows) +
                           (is_binary() ? " rows of a class" : " rows") + ", or beyond the " +
                           std::to_string(kSliceValues) + " largest of a slice.");
    if (evidence_->leak_auc)
      list.items.push_back("The input that alone tells most about the label is " +
                           evidence_->leak_input +
                           (is_regression() || is_ranking() ? ", with a concordance of "
                            : is_multiclass()               ? ", for one class with an AUC of "
                                                            : ", with an AUC of ") +
                           fixed_text(*evidence_->leak_auc, 4) + ".");
  }

  void identity() {
    CardSection& to = section("Identity");
    CardTable table{"", {{"what"}, {"id"}}, {}};
    const models::ModelCard& card = subject_.card;
    for (const auto& [what, id] : {std::pair{"definition of the model", &card.ir_hash},
                                   {"dataset", &card.dataset_id},
                                   {"recipe", &card.recipe_id},
                                   {"bits of the model's file", &card.bits_id}})
      table.rows.push_back({{what}, code(*id)});
    to.blocks.emplace_back(std::move(table));
  }

  const CardSubject& subject_;
  const define::Project& project_;
  const define::Model& model_;
  std::string definition_;
  std::optional<Evidence> evidence_;
  CardDocument out_;
};

}  // namespace

CardDocument model_card(const CardSubject& subject) { return Card(subject).draw(); }

}  // namespace coeval::training
