#include "kernel/entity_replay.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "exact/decay.h"
#include "exact/integer_sum.h"
#include "kernel/linear_plan.h"
#include "kernel/period.h"
#include "kernel/sum_cells.h"
#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

using define::Aggregation;

// The first place at or behind `from` whose time is not before `to`: few steps where it is near.
std::uint32_t go_forward(const std::int64_t* times, std::uint32_t count, std::uint32_t from,
                         std::int64_t to) {
  std::uint32_t low = from, step = 1;
  while (low < count && times[low] < to) {
    if (step > count - low || times[low + step - 1] >= to) {
      const std::int64_t* const end = times + std::min(count, low + step);
      return static_cast<std::uint32_t>(std::lower_bound(times + low, end, to) - times);
    }
    low += step;
    step *= 2;
  }
  return low;
}

std::uint32_t place_of(const std::int64_t* times, std::uint32_t count, std::int64_t to) {
  return static_cast<std::uint32_t>(std::lower_bound(times, times + count, to) - times);
}

std::int64_t key_of(std::uint64_t bits, Storage storage) {
  return storage == Storage::real ? order_key(std::bit_cast<double>(bits))
                                  : static_cast<std::int64_t>(bits);
}

// Events before this moment are nothing to a collection. (semantics: A3)
std::int64_t oldest_gathered(const CollectionPlan& plan, std::int64_t at_us) {
  if (plan.gather != CollectionPlan::Gather::decayed) return INT64_MIN;
  return saturating_subtract(at_us, exact::kDecayHorizon * plan.half_life_us);
}

bool is_late(const Boundary& boundary, std::int64_t longest_lag_us) {
  if (boundary.from_begin || longest_lag_us <= 0) return false;
  return boundary.period != define::Period::none || boundary.length_us < longest_lag_us;
}

}  // namespace

namespace {

// The place of a measure's values in a list where all that are the same stand once; events that
// take no part have 0.
std::size_t place_in(std::vector<Measure>& values, const Measure& measure) {
  const auto known = std::ranges::find_if(values, [&](const Measure& other) {
    return other.storage == measure.storage && other.slot == measure.slot;
  });
  const auto place = static_cast<std::size_t>(known - values.begin());
  if (known == values.end()) values.push_back(measure);
  return place;
}

// The place of a bit in a list where each stands once.
std::size_t place_in(std::vector<int>& bits, int bit) {
  const auto known = std::ranges::find(bits, bit);
  const auto place = static_cast<std::size_t>(known - bits.begin());
  if (known == bits.end()) bits.push_back(bit);
  return place;
}

}  // namespace

bool EntityReplay::can_answer(const RecordLayout& layout) { return layout.strings.empty(); }

EntityReplay::EntityReplay(const define::View& view, const RecordLayout& layout,
                           const TimeZone* zone)
    : layout_(layout), zone_(zone) {
  boundaries_.emplace_back();  // T itself
  for (const auto& window : view.windows) windows_.push_back(bounds_of(window, boundaries_));
  for (const auto& window : windows_)
    if (std::ranges::find(ends_, window.end) == ends_.end()) ends_.push_back(window.end);
}

std::unique_ptr<EntityReplay> EntityReplay::create(const define::View& view,
                                                   const RecordLayout& layout, const TimeZone* zone,
                                                   const EntityEvents::Source& events,
                                                   std::size_t parts, const RunParts& run) {
  std::unique_ptr<EntityReplay> replay(new EntityReplay(view, layout, zone));
  const EntityEvents::Wanted wanted = replay->plan_events();
  replay->events_ = EntityEvents::create(layout, events, wanted, parts, run);
  if (!replay->events_) return nullptr;
  for (std::size_t i = 0; i < replay->boundaries_.size(); ++i) {
    const bool late = is_late(replay->boundaries_[i], replay->events_->longest_lag_us());
    replay->late_.push_back(late ? 1 : 0);
    if (late) replay->late_ones_.push_back(i);
  }
  replay->any_late_ = replay->events_->any_late();
  if (replay->walks_too_far()) return nullptr;
  replay->plan_answers();
  return replay;
}

// Whether some entity has so many events that gathering its windows anew for each question would
// take longer than keeping a state. The newest events are few, a decayed sum looks at each event
// anyway, and distinct values are counted as events come and go, where none is known late and there
// are no more of them than can be counted exactly.
bool EntityReplay::walks_too_far() const {
  constexpr std::uint32_t kMany = 4'096;
  for (std::size_t i = 0; i < gathered_.size(); ++i) {
    const auto gather = layout_.collections[i].gather;
    if (gather == CollectionPlan::Gather::newest || gather == CollectionPlan::Gather::decayed)
      continue;
    for (std::size_t entity = 0; entity < events_->entities(); ++entity) {
      const EntityEvents::Of events = events_->of(entity);
      if (events.count() <= kMany) continue;
      if (gathered_[i].distinct < 0 || any_late_) return true;
      const auto repeats = static_cast<std::size_t>(gathered_[i].distinct);
      std::size_t values = 0;
      for (std::uint32_t event = 0; event < events.count(); ++event)
        values += events.behind_same(repeats, event) == 0 ? 1 : 0;
      if (values > exact::kDefaultCap) return true;
    }
  }
  return false;
}

// What is read of events besides sums.
EntityEvents::Wanted EntityReplay::plan_events() {
  EntityEvents::Wanted wanted;
  for (const Measure& measure : layout_.ordered) {
    Ordered& ordered = ordered_.emplace_back();
    ordered.value = place_in(wanted.values, measure);
    ordered.having = place_in(wanted.bits, measure.part_bit);
  }
  for (const CollectionPlan& plan : layout_.collections) {
    Gathered& gathered = gathered_.emplace_back();
    gathered.value = place_in(wanted.values, plan.measure);
    gathered.having = place_in(wanted.bits, plan.counted_bit);
    if (plan.gather != CollectionPlan::Gather::distinct) continue;
    gathered.distinct = static_cast<int>(wanted.repeats.size());
    wanted.repeats.emplace_back(gathered.value, plan.counted_bit);
    any_distinct_ = true;
  }
  return wanted;
}

void EntityReplay::plan_answers() {
  words_of_window_ = 1;
  first_cells_.resize(layout_.aggregates.size());
  for (std::size_t i = 0; i < layout_.aggregates.size(); ++i) {
    const AggregatePlan& plan = layout_.aggregates[i];
    if (plan_quickly(i)) continue;
    first_cells_[i] = cell_features_.size();
    for (std::size_t w = 0; w < windows_.size(); ++w) cell_features_.push_back(feature(i, w));
    if (plan.collection >= 0) {
      gathered_[static_cast<std::size_t>(plan.collection)].aggregates.push_back(i);
    } else if (plan.ordered >= 0) {
      Ordered& ordered = ordered_[static_cast<std::size_t>(plan.ordered)];
      ordered.aggregates.push_back(i);
      ordered.min = ordered.min || plan.kind == Aggregation::min;
      ordered.max = ordered.max || plan.kind == Aggregation::max;
      ordered.first =
          ordered.first || plan.kind == Aggregation::first || plan.kind == Aggregation::since_first;
      ordered.last =
          ordered.last || plan.kind == Aggregation::last || plan.kind == Aggregation::since_last;
      any_queue_ = any_queue_ || ordered.min || ordered.max;
    } else {
      summed_.push_back(i);
    }
  }
  if (quick_.empty()) words_of_window_ = 0;
}

// Whether the aggregate is one of those that are made of words all at once.
bool EntityReplay::plan_quickly(std::size_t aggregate) {
  const AggregatePlan& plan = layout_.aggregates[aggregate];
  const SumWords& words = events_->words();
  const auto linear = linear_plan(plan);
  if (!linear) {
    const bool is_mean = plan.kind == Aggregation::mean;
    const bool is_sum = plan.kind == Aggregation::sum && plan.result == data::Type::int64;
    if (plan.measure.storage != Storage::wide || plan.scale != 0 || !(is_mean || is_sum) ||
        words.integer_lane(plan.measure).size != 1)
      return false;
    const auto bit = static_cast<std::size_t>(plan.measure.part_bit);
    quick_.push_back({false, is_mean, part_of(words.counter(bit)),
                      part_of(words.integer_lane(plan.measure)), aggregate});
    return true;
  }
  QuickOutput output{
      linear->is_count, linear->is_mean, part_of(words.counter(linear->part)), {}, aggregate};
  if (!linear->is_count)
    output.sum = plan.measure.storage == Storage::bit ? part_of(words.counter(linear->sum))
                                                      : part_of(words.integer_lane(plan.measure));
  quick_.push_back(output);
  return true;
}

EntityReplay::WordPart EntityReplay::part_of(CounterPlace place) {
  if (place.is_every_event()) return {};
  WordPart part = part_of(SumLane{place.word, 1, 0});
  part.shift = place.shift;
  part.mask = UINT32_MAX;
  return part;
}

EntityReplay::WordPart EntityReplay::part_of(SumLane lane) {
  const auto known = std::ranges::find(quick_words_, lane.word);
  const auto place = static_cast<std::size_t>(known - quick_words_.begin());
  if (known == quick_words_.end()) {
    quick_words_.push_back(lane.word);
    ++words_of_window_;
  }
  return {1 + place};
}

void EntityReplay::put_columns(const AnswerRows& rows, AnswerColumns& columns, std::size_t first,
                               std::size_t count) const {
  for (const std::size_t end = first + count; first < end; first += AnswerColumns::kTile) {
    const std::size_t size = std::min(AnswerColumns::kTile, end - first);
    for (std::size_t w = 0; w < windows_.size(); ++w)
      for (const QuickOutput& output : quick_) put_quick(output, rows, w, columns, first, size);
    rows.put_cells(columns, cell_features_, first, size);
  }
}

// semantics: A7 V3
void EntityReplay::put_quick(const QuickOutput& output, const AnswerRows& rows, std::size_t window,
                             AnswerColumns& columns, std::size_t first, std::size_t count) const {
  const std::size_t step = rows.stride(), begin = window * words_of_window_;
  const std::uint64_t* part = rows.word(first, begin + output.part.word);
  const std::size_t to_feature = feature(output.aggregate, window);
  std::uint64_t* to = columns.values(to_feature) + first;
  if (output.is_count) {
    for (std::size_t i = 0; i < count; ++i)
      to[i] = static_cast<std::uint64_t>(output.part.of(part[i * step]));
    return;
  }
  // Where nothing takes part the sum is 0, and so are the bits of the null.
  const std::uint64_t* sum = rows.word(first, begin + output.sum.word);
  std::uint64_t nulls = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t events = output.part.of(part[i * step]);
    const std::int64_t total = output.sum.of(sum[i * step]);
    to[i] = output.is_mean
                ? std::bit_cast<std::uint64_t>(exact::mean(total, events | (events == 0)))
                : static_cast<std::uint64_t>(total);
    nulls |= std::uint64_t{events == 0} << i;
  }
  if (nulls != 0) columns.put_nulls(to_feature, first, nulls);
}

EntityWalk::EntityWalk(const EntityReplay& replay, AnsweredTexts& texts)
    : replay_(replay),
      texts_(texts),
      places_(replay.boundaries_.size()),
      queues_(replay.any_queue_ ? replay.ends_.size() * replay.ordered_.size() : 0),
      queued_from_(replay.ends_.size()),
      queued_to_(replay.ends_.size()),
      distinct_(replay.any_distinct_ ? replay.gathered_.size() * replay.windows_.size() : 0),
      collections_(replay.layout_.collections.begin(), replay.layout_.collections.end()) {
  if (replay.any_late_) sums_.resize(places_.size() * replay.events_->words().width());
}

void EntityWalk::answer(std::span<const AskedQuestion> questions, AnswerRows& answers) {
  constexpr std::size_t kAhead = 8, kSoon = 4;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const AskedQuestion& question = questions[i];
    if (i + kAhead < questions.size() &&
        questions[i + kAhead].entity != questions[i + kAhead - 1].entity)
      replay_.events_->fetch(questions[i + kAhead].entity);
    if (i + kSoon < questions.size()) answers.fetch(questions[i + kSoon].row);
    if (i == 0 || questions[i - 1].entity != question.entity)
      begin(question.entity, question.at_us);
    else if (questions[i - 1].at_us != question.at_us)
      go_to(question.at_us);
    AnswerRows::Row row = answers.row(question.row);
    if (!replay_.quick_.empty()) put_words(row.words());
    if (!replay_.summed_.empty()) put_summed(row, question.at_us);
    if (!replay_.ordered_.empty()) put_ordered(row, question.at_us);
    if (!replay_.gathered_.empty()) put_gathered(row, question.at_us);
  }
}

std::int64_t EntityWalk::bound(std::size_t boundary, std::int64_t at_us) const {
  const Boundary& mine = replay_.boundaries_[boundary];
  if (mine.period != define::Period::none) [[unlikely]]
    return period_begin(mine.period, replay_.zone_, at_us);
  return saturating_subtract(at_us, mine.length_us);
}

// Finds all places anew.
void EntityWalk::begin(std::uint32_t entity, std::int64_t at_us) {
  events_ = replay_.events_->of(entity);
  const std::uint32_t count = events_.count();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (replay_.boundaries_[i].from_begin) {
      places_[i] = {0, 0, events_.sums(0)};
    } else if (replay_.late_[i]) {
      begin_late(i, bound(i, at_us), at_us);
    } else {
      const std::uint32_t place = place_of(events_.times(), count, bound(i, at_us));
      places_[i] = {place, place, events_.sums(place)};
    }
  }
  if (replay_.any_late_) {
    std::uint32_t low = 0, high = count;
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (events_.known(events_.by_known(middle)) < at_us)
        low = middle + 1;
      else
        high = middle;
    }
    known_ = low;
  }
  std::ranges::fill(queued_from_, UINT32_MAX);  // nothing
  if (replay_.any_queue_) bring_queues(at_us);
  std::ranges::fill(distinct_, Distinct{});
  if (replay_.any_distinct_) bring_distinct();
}

void EntityWalk::go_to(std::int64_t at_us) {
  if (replay_.any_late_) see_known(at_us);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (replay_.boundaries_[i].from_begin) continue;
    const std::int64_t to = bound(i, at_us);
    Place& place = places_[i];
    // Where clocks go back over midnight, the begin of a day may too.
    const bool back = replay_.boundaries_[i].period != define::Period::none && place.index > 0 &&
                      events_.times()[place.index - 1] >= to;
    if (replay_.late_[i]) {
      back ? begin_late(i, to, at_us) : pass(i, to, at_us);
      continue;
    }
    const std::uint32_t index = back
                                    ? place_of(events_.times(), place.index, to)
                                    : go_forward(events_.times(), events_.count(), place.index, to);
    place = {index, index, events_.sums(index)};
  }
  if (replay_.any_queue_) bring_queues(at_us);
  if (replay_.any_distinct_) bring_distinct();
}

// Adds an event to the sums of a late boundary, or takes it away.
void EntityWalk::count(std::size_t boundary, std::uint32_t event, bool add) {
  const std::size_t width = replay_.events_->words().width();
  const std::uint64_t *before = events_.sums(event), *behind = events_.sums(event + 1);
  std::uint64_t* sums = sums_.data() + boundary * width;
  replay_.events_->words().move(sums, add ? behind : before, add ? before : behind);
  places_[boundary].count += add ? 1 : -1;
}

// The sums at a late boundary: those of all events before it, but for those that are not known.
void EntityWalk::begin_late(std::size_t boundary, std::int64_t to, std::int64_t at_us) {
  const std::size_t width = replay_.events_->words().width();
  const std::uint32_t index = place_of(events_.times(), events_.count(), to);
  std::uint64_t* sums = sums_.data() + boundary * width;
  std::copy_n(events_.sums(index), width, sums);
  places_[boundary] = {index, index, sums};
  const std::int64_t first = saturating_subtract(at_us, replay_.events_->longest_lag_us());
  for (std::uint32_t event = place_of(events_.times(), index, first); event < index; ++event)
    if (!sees(event, at_us)) count(boundary, event, false);
}

// Events that have become known count at the late boundaries that have already passed them.
void EntityWalk::see_known(std::int64_t at_us) {
  for (; known_ < events_.count(); ++known_) {
    const std::uint32_t event = events_.by_known(known_);
    if (events_.known(event) >= at_us) return;
    for (const std::size_t i : replay_.late_ones_) {
      if (event >= places_[i].index) continue;
      count(i, event, true);
      if (replay_.any_queue_) queue_event(i, event);
    }
  }
}

// Brings a late boundary forward.
void EntityWalk::pass(std::size_t boundary, std::int64_t to, std::int64_t at_us) {
  Place& place = places_[boundary];
  for (; place.index < events_.count() && events_.times()[place.index] < to; ++place.index) {
    if (!sees(place.index, at_us)) continue;
    count(boundary, place.index, true);
    if (replay_.any_queue_) queue_event(boundary, place.index);
  }
}

// An event that is seen at a late boundary where windows end.
void EntityWalk::queue_event(std::size_t boundary, std::uint32_t event) {
  const auto end = std::ranges::find(replay_.ends_, boundary);
  if (end == replay_.ends_.end()) return;
  const auto place = static_cast<std::size_t>(end - replay_.ends_.begin());
  if (event < queued_from_[place]) return;
  const EntityEvents& all = *replay_.events_;
  for (std::size_t i = 0; i < replay_.ordered_.size(); ++i) {
    const auto& ordered = replay_.ordered_[i];
    const Measure& measure = replay_.layout_.ordered[i];
    if (all.rank_of(measure.part_bit, events_, event) ==
        all.rank_of(measure.part_bit, events_, event + 1))
      continue;
    Queues& queues = queues_[place * replay_.ordered_.size() + i];
    const std::int64_t key = key_of(events_.value(ordered.value, event), measure.storage);
    if (ordered.min) queues.least.push(event, key);
    if (ordered.max) queues.greatest.push(event, ~key);  // in the opposite order
  }
}

// The first event that a window with this end reads.
std::uint32_t EntityWalk::first_read(std::size_t end) const {
  std::uint32_t first = UINT32_MAX;
  for (const WindowBounds& window : replay_.windows_)
    if (window.end == end) first = std::min(first, places_[window.begin].index);
  return first;
}

// Brings the queues of every end to the events that its windows read. Late ends have had theirs,
// unless they are new.
void EntityWalk::bring_queues(std::int64_t at_us) {
  for (std::size_t i = 0; i < replay_.ends_.size(); ++i) {
    const std::size_t end = replay_.ends_[i];
    const std::uint32_t from = first_read(end), to = places_[end].index;
    const std::span queues =
        std::span(queues_).subspan(i * replay_.ordered_.size(), replay_.ordered_.size());
    const bool fresh = from < queued_from_[i] || queued_from_[i] == UINT32_MAX;
    for (Queues& queue : queues) {
      if (fresh)
        queue.least.clear(), queue.greatest.clear();
      else
        queue.least.drop_before(from), queue.greatest.drop_before(from);
    }
    queued_from_[i] = from;
    if (fresh || !replay_.late_[end])
      for (std::uint32_t event = fresh ? from : std::max(queued_to_[i], from); event < to; ++event)
        if (!replay_.late_[end] || sees(event, at_us)) queue_event(end, event);
    queued_to_[i] = to;
  }
}

void EntityWalk::put_words(std::uint64_t* words) const {
  for (const WindowBounds& window : replay_.windows_) {
    const Place &now = places_[window.end], &then = places_[window.begin];
    *words++ = static_cast<std::uint64_t>(now.count - then.count);
    for (const std::uint32_t word : replay_.quick_words_)
      *words++ = now.sums[word] - then.sums[word];
  }
}

std::int64_t EntityWalk::length_us(const WindowBounds& window, std::int64_t at_us) const {
  const Boundary& begin = replay_.boundaries_[window.begin];
  if (begin.from_begin) return 0;
  if (begin.period != define::Period::none)
    return saturating_subtract(at_us, bound(window.begin, at_us));
  return begin.length_us - replay_.boundaries_[window.end].length_us;
}

void EntityWalk::put_summed(AnswerRows::Row& row, std::int64_t at_us) {
  for (std::size_t w = 0; w < replay_.windows_.size(); ++w) {
    const WindowBounds& window = replay_.windows_[w];
    const Place &now = places_[window.end], &then = places_[window.begin];
    const SumDifference sums(replay_.events_->words(), now.sums, then.sums, now.count - then.count);
    for (const std::size_t aggregate : replay_.summed_) {
      const AggregatePlan& plan = replay_.layout_.aggregates[aggregate];
      const std::int64_t length = plan.kind == Aggregation::rate ? length_us(window, at_us) : 0;
      row.put(replay_.cell(aggregate, w), summed_cell(plan, sums, length, counts_));
    }
  }
}

void EntityWalk::put_ordered(AnswerRows::Row& row, std::int64_t at_us) {
  for (std::size_t i = 0; i < replay_.ordered_.size(); ++i)
    for (std::size_t w = 0; w < replay_.windows_.size(); ++w) {
      const Extremes found = extremes(i, replay_.windows_[w], at_us);
      for (const std::size_t aggregate : replay_.ordered_[i].aggregates)
        row.put(replay_.cell(aggregate, w),
                ordered_cell(replay_.layout_.aggregates[aggregate], found, at_us));
    }
}

// What the window's answers read of these, and nothing more.
Extremes EntityWalk::extremes(std::size_t index, const WindowBounds& window, std::int64_t at_us) {
  const auto& ordered = replay_.ordered_[index];
  const EntityEvents& all = *replay_.events_;
  const Place &begin = places_[window.begin], &end = places_[window.end];
  const int bit = replay_.layout_.ordered[index].part_bit;
  Extremes out;
  if (begin.index >= end.index) return out;
  const std::uint32_t first = all.rank_of(bit, events_, begin.index);
  const std::uint32_t last = all.rank_of(bit, events_, end.index);
  const auto event = [&](std::uint32_t rank) { return events_.having(ordered.having, rank); };
  const bool late = replay_.late_[window.end];
  std::uint32_t newest = last;
  while (newest > first && late && !sees(event(newest - 1), at_us)) --newest;
  out.any = newest > first;
  if (!out.any) return out;
  if (ordered.last) {
    out.last_time = events_.times()[event(newest - 1)];
    out.last = events_.value(ordered.value, event(newest - 1));
  }
  if (ordered.first) {
    std::uint32_t oldest = first;
    while (late && !sees(event(oldest), at_us)) ++oldest;
    out.first_time = events_.times()[event(oldest)];
    out.first = events_.value(ordered.value, event(oldest));
  }
  if (!ordered.min && !ordered.max) return out;
  const auto place = std::ranges::find(replay_.ends_, window.end) - replay_.ends_.begin();
  Queues& queues = queues_[static_cast<std::size_t>(place) * replay_.ordered_.size() + index];
  if (ordered.min) queues.least.smallest_from(begin.index, out.least);
  if (ordered.max && queues.greatest.smallest_from(begin.index, out.greatest))
    out.greatest = ~out.greatest;
  return out;
}

// Brings the numbers of distinct values to the windows as they are now.
void EntityWalk::bring_distinct() {
  for (std::size_t i = 0; i < replay_.gathered_.size(); ++i)
    for (std::size_t w = 0; w < replay_.windows_.size(); ++w)
      if (replay_.gathered_[i].distinct >= 0 && !replay_.late_[replay_.windows_[w].end])
        count_distinct(i, w);
}

// A value that is there already is not counted again when an event enters, and stays counted when
// one leaves while another has it.
void EntityWalk::count_distinct(std::size_t collection, std::size_t window) {
  const auto repeats = static_cast<std::size_t>(replay_.gathered_[collection].distinct);
  const WindowBounds& bounds = replay_.windows_[window];
  Distinct& mine = distinct_[collection * replay_.windows_.size() + window];
  const std::uint32_t to = places_[bounds.end].index;
  const std::uint32_t from = std::min(places_[bounds.begin].index, to);
  if (from < mine.from || from >= mine.to || to < mine.to) mine = {from, from, 0};
  for (; mine.to < to; ++mine.to)
    if (events_.behind_same(repeats, mine.to) <= mine.from) ++mine.count;
  for (; mine.from < from; ++mine.from)
    if (events_.next_same(repeats, mine.from) >= mine.to) --mine.count;
}

// Adds an event that can be seen, older than all that were added; false when no older one matters.
bool EntityWalk::take_older(std::size_t index, std::uint32_t event, std::int64_t at_us) {
  Collection& collection = collections_[index];
  const CollectionPlan& plan = collection.plan();
  const std::uint64_t bits = events_.value(replay_.gathered_[index].value, event);
  const std::int64_t time = events_.times()[event];
  if (plan.gather != CollectionPlan::Gather::newest) {
    collection.add_value(time, true, bits, at_us);
    return true;
  }
  const EntityEvents& all = *replay_.events_;
  const int part = plan.measure.part_bit;
  const bool valid = part == plan.counted_bit ||
                     all.rank_of(part, events_, event) != all.rank_of(part, events_, event + 1);
  return collection.add_older_value(time, valid, bits);
}

void EntityWalk::put_collection(AnswerRows::Row& row, std::size_t collection, std::size_t window) {
  const auto& aggregates = replay_.gathered_[collection].aggregates;
  for (std::size_t i = 0; i < aggregates.size(); ++i)
    row.put(replay_.cell(aggregates[i], window), cells_[i]);
}

// Answers the windows that end there, from the shortest: a longer one holds what a shorter one
// does, and more.
void EntityWalk::gather(AnswerRows::Row& row, std::size_t index, std::size_t end,
                        std::int64_t at_us) {
  const EntityEvents& all = *replay_.events_;
  const auto begin_of = [&](std::size_t w) {
    return std::min(places_[replay_.windows_[w].begin].index, places_[end].index);
  };
  order_.clear();
  for (std::size_t w = 0; w < replay_.windows_.size(); ++w)
    if (replay_.windows_[w].end == end) order_.push_back(w);
  std::ranges::sort(order_, std::greater<>{}, begin_of);
  Collection& collection = collections_[index];
  collection.clear();
  const auto& gathered = replay_.gathered_[index];
  const int bit = collection.plan().counted_bit;
  const std::int64_t oldest = oldest_gathered(collection.plan(), at_us);
  bool goes_on = true, is_new = true;
  for (std::uint32_t rank = all.rank_of(bit, events_, places_[end].index);
       const std::size_t w : order_) {
    const std::uint32_t first = all.rank_of(bit, events_, begin_of(w));
    for (; goes_on && rank > first; --rank) {
      const std::uint32_t event = events_.having(gathered.having, rank - 1);
      if (events_.times()[event] < oldest) break;
      if (!sees(event, at_us)) continue;
      goes_on = take_older(index, event, at_us);
      is_new = is_new || goes_on;
    }
    // The same events have the same answer.
    if (is_new) {
      cells_.clear();
      for (const std::size_t aggregate : gathered.aggregates)
        cells_.push_back(
            collection_cell(replay_.layout_.aggregates[aggregate], collection, texts_, counts_));
    } else {
      for (const Cell& cell : cells_) counts_.approximate_answers += cell.approximate ? 1 : 0;
    }
    is_new = false;
    put_collection(row, index, w);
  }
}

// From the counts that are at hand, where they are small enough to be exact. (semantics: A4)
void EntityWalk::put_distinct(AnswerRows::Row& row, std::size_t index, std::size_t end) {
  for (std::size_t w = 0; w < replay_.windows_.size(); ++w) {
    if (replay_.windows_[w].end != end) continue;
    const std::int64_t count = distinct_[index * replay_.windows_.size() + w].count;
    const Cell cell = count == 0 ? Cell{} : integer_cell(count);
    for (const std::size_t aggregate : replay_.gathered_[index].aggregates)
      row.put(replay_.cell(aggregate, w), cell);
  }
}

void EntityWalk::put_gathered(AnswerRows::Row& row, std::int64_t at_us) {
  for (std::size_t i = 0; i < collections_.size(); ++i)
    for (const std::size_t end : replay_.ends_) {
      const auto counts =
          std::span(distinct_).subspan(replay_.any_distinct_ ? i * replay_.windows_.size() : 0);
      bool counted = replay_.gathered_[i].distinct >= 0 && !replay_.late_[end];
      for (std::size_t w = 0; counted && w < replay_.windows_.size(); ++w)
        counted = replay_.windows_[w].end != end ||
                  counts[w].count <= static_cast<std::int64_t>(exact::kDefaultCap);
      counted ? put_distinct(row, i, end) : gather(row, i, end, at_us);
    }
}

}  // namespace coeval::kernel
