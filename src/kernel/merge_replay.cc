#include "kernel/merge_replay.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <ranges>

#include "base/check.h"
#include "exact/integer_sum.h"

namespace coeval::kernel {

namespace {

// So many questions are answered at a time that the rows of the answers stay in the second-level
// cache, to which the entities write here and there.
constexpr std::uint32_t kPart = 2048;

constexpr std::size_t kCacheLine = 64;

// Events are asked for so many places before they are looked at.
constexpr std::uint32_t kEventsAhead = 6;

// Where the items of each entity begin: a counting sort's first pass.
std::vector<std::uint32_t> begins(std::size_t entities, std::span<const std::int32_t> entity_of,
                                  const auto& items) {
  std::vector<std::uint32_t> begin(entities + 1);
  for (const auto item : items)
    if (const std::int32_t entity = entity_of[static_cast<std::size_t>(item)]; entity >= 0)
      ++begin[static_cast<std::size_t>(entity) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  return begin;
}

}  // namespace

bool MergeReplay::can_answer(const define::View& view, const RecordLayout& layout) {
  return !linear_plans(layout).empty() &&
         std::ranges::all_of(view.windows, [](const define::Window& window) {
           return window.period == define::Period::none;
         });
}

AddedEvents::AddedEvents(const RecordLayout& layout, const EventBlock::PerView& records,
                         std::int64_t rows) {
  find_counted_bits(layout, records, rows);
  const std::size_t bit_words = (bits_.size() + 1) / 2;
  for (std::size_t bit = 0; bit < layout.bit_count; ++bit) {
    const auto counted = std::ranges::find(bits_, bit);
    const auto i = static_cast<std::uint32_t>(counted == bits_.end() ? 0 : counted - bits_.begin());
    places_.push_back({i / 2, i % 2 * 32, UINT32_MAX});
  }
  for (std::size_t i = 0; i < layout.narrow_count; ++i)
    places_.push_back({static_cast<std::uint32_t>(bit_words + i), 0, UINT64_MAX});
  width_ = bit_words + layout.narrow_count;
  stride_ = 2 + width_;
  words_.resize(static_cast<std::size_t>(rows) * stride_);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::byte* record = records.record(row);
    put(layout, record, words_.data() + static_cast<std::size_t>(row) * stride_);
    known_after_ = known_after_ && known_time_of(record) >= event_time_of(record);
  }
}

void AddedEvents::find_counted_bits(const RecordLayout& layout, const EventBlock::PerView& records,
                                    std::int64_t rows) {
  std::vector<std::uint32_t> in_all(layout.words(), UINT32_MAX);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::size_t word = 0; word < in_all.size(); ++word)
      in_all[word] &= load<std::uint32_t>(records.record(row) + kFlagsAt + 4 * word);
  for (std::size_t bit = 0; bit < layout.bit_count; ++bit)
    if (bit == 0 || (in_all[bit / 32] >> bit % 32 & 1) == 0) bits_.push_back(bit);
}

void AddedEvents::put(const RecordLayout& layout, const std::byte* record,
                      std::uint64_t* to) const {
  *to++ = static_cast<std::uint64_t>(event_time_of(record));
  *to++ = static_cast<std::uint64_t>(known_time_of(record));
  for (std::size_t i = 0; i < bits_.size(); i += 2) {
    std::uint64_t pair = bit_of(record, static_cast<int>(bits_[i])) ? 1 : 0;
    if (i + 1 < bits_.size())
      pair |= std::uint64_t{bit_of(record, static_cast<int>(bits_[i + 1]))} << 32;
    *to++ = pair;
  }
  for (std::size_t i = 0; i < layout.narrow_count; ++i)
    *to++ = static_cast<std::uint64_t>(
        std::int64_t{load<std::int32_t>(record + layout.narrow_at + 4 * i)});
}

MergeReplay::MergeReplay(const define::View& view, const RecordLayout& layout, std::size_t entities,
                         HistoryEvents events, HistoryQuestions questions)
    : first_moving_(events.events->known_after() ? 1 : 0),
      entities_(entities),
      events_(std::move(events)),
      questions_(std::move(questions)),
      within_(events_.events->width()) {
  COEVAL_CHECK(events_.by_known.size() < UINT32_MAX && questions_.at_us.size() < UINT32_MAX);
  boundaries_.emplace_back();  // T itself
  for (const auto& window : view.windows) windows_.push_back(bounds_of(window, boundaries_));
  for (const auto& linear : linear_plans(layout))
    outputs_.push_back({linear.is_count, linear.is_mean, events_.events->place(linear.part),
                        events_.events->place(linear.sum), outputs_.size() * windows_.size()});
  event_begin_ = begins(entities_, events_.entities, events_.by_time);
  by_time_ = by_entity(events_.by_time);
  if (!std::ranges::equal(events_.by_time, events_.by_known))
    by_known_ = by_entity(events_.by_known);
  sort_questions();
  start_entities();
}

LargeVector<std::uint32_t> MergeReplay::by_entity(std::span<const std::int64_t> rows) const {
  LargeVector<std::uint32_t> sorted(event_begin_.back() + kEventsAhead, 0);
  std::vector<std::uint32_t> next(event_begin_.begin(), event_begin_.end() - 1);
  for (const std::int64_t row : rows)
    if (const std::int32_t entity = events_.entities[static_cast<std::size_t>(row)]; entity >= 0)
      sorted[next[static_cast<std::size_t>(entity)]++] = static_cast<std::uint32_t>(row);
  return sorted;
}

void MergeReplay::sort_questions() {
  const auto places =
      std::views::iota(std::uint32_t{0}, static_cast<std::uint32_t>(questions_.at_us.size()));
  question_begin_ = begins(entities_, questions_.entities, places);
  questions_by_entity_.resize(question_begin_.back());
  std::vector<std::uint32_t> next(question_begin_.begin(), question_begin_.end() - 1);
  for (const std::uint32_t question : places) {
    const std::int32_t entity = questions_.entities[question];
    if (entity < 0)
      nobodys_.push_back(question);
    else
      questions_by_entity_[next[static_cast<std::size_t>(entity)]++] = question;
  }
  questions_.entities = {};  // not needed any more
}

// All cursors at the entity's first event, all sums nothing.
void MergeReplay::start_entities() {
  const auto rounded = [](std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; };
  const std::size_t words = 1 + boundaries_.size() * events_.events->width();
  numbers_at_ = words * sizeof(std::uint64_t);
  state_bytes_ =
      rounded(numbers_at_ + (boundaries_.size() + 2) * sizeof(std::uint32_t), kCacheLine);
  state_.assign(entities_ * state_bytes_, std::byte{0});
  next_question_.resize(entities_);
  for (std::size_t i = 0; i < entities_; ++i) {
    const Entity mine = entity(i);
    mine.asked_at = INT64_MIN;
    std::fill_n(mine.cursors, boundaries_.size(), event_begin_[i]);
    mine.known = event_begin_[i];
    mine.question = question_begin_[i];
    next_question_[i] = next_question(i, question_begin_[i]);
  }
}

// Brings the sums up to T: first the events that became known, then those that a bound has come by.
template <std::size_t Width>
void MergeReplay::see(const Entity& entity, std::uint32_t event_end, std::int64_t at_us) {
  const AddedEvents& events = *events_.events;
  const std::size_t width = Width == 0 ? events.width() : Width;
  const auto add = [&](std::size_t boundary, const std::uint64_t* event) {
    std::uint64_t* sums = entity.sums + boundary * width;
    const std::uint64_t* added = AddedEvents::added(event);
    for (std::size_t i = 0; i < width; ++i) sums[i] += added[i];
  };
  const std::size_t boundaries = boundaries_.size(), first_moving = first_moving_;
  const std::uint32_t* by_known = by_known_.empty() ? by_time_.data() : by_known_.data();
  std::uint32_t known = entity.known;
  for (; known < event_end; ++known) {
    const std::uint64_t* event = events.row(by_known[known]);
    __builtin_prefetch(events.row(by_known[known + kEventsAhead]));
    if (AddedEvents::known_of(event) >= at_us) break;
    if (first_moving > 0) add(0, event);
    for (std::size_t i = first_moving; i < boundaries; ++i)
      if (AddedEvents::time_of(event) < bound(boundaries_[i], entity.asked_at)) [[unlikely]]
        add(i, event);
  }
  entity.known = known;
  for (std::size_t i = first_moving; i < boundaries; ++i) {
    const std::int64_t to = bound(boundaries_[i], at_us);
    std::uint32_t cursor = entity.cursors[i];
    for (; cursor < event_end; ++cursor) {
      const std::uint64_t* event = event_at(cursor);
      __builtin_prefetch(event_at(cursor + kEventsAhead));
      if (AddedEvents::time_of(event) >= to) break;
      if (AddedEvents::known_of(event) < at_us) [[likely]]
        add(i, event);
    }
    entity.cursors[i] = cursor;
  }
  entity.asked_at = at_us;
}

// semantics: A7 V3
template <std::size_t Width>
void MergeReplay::put(const Entity& entity, std::size_t row, const Places& places) {
  const std::size_t width = Width == 0 ? events_.events->width() : Width;
  std::uint64_t* within = within_.data();
  const AnswerColumns::Places* place = places.data();
  for (const WindowBounds& window : windows_) {
    const std::uint64_t* now = entity.sums + window.end * width;
    const std::uint64_t* then = entity.sums + window.begin * width;
    for (std::size_t i = 0; i < width; ++i) within[i] = now[i] - then[i];
    for (const Output& output : outputs_) {
      const std::int64_t count = output.part.of(within);
      if (output.is_count) {
        (place++)->set(row, static_cast<std::uint64_t>(count), true);
        continue;
      }
      // Where nothing takes part the sum is 0, and so are the bits of the null.
      const std::int64_t sum = output.sum.of(within);
      const std::uint64_t bits =
          output.is_mean ? std::bit_cast<std::uint64_t>(exact::mean(sum, count | (count == 0)))
                         : static_cast<std::uint64_t>(sum);
      (place++)->set(row, bits, count != 0);
    }
  }
}

// What an entity needs lies here and there in memory: it is asked for some entities ahead.
void MergeReplay::fetch_state(std::size_t entity) const {
  const std::byte* mine = state_.data() + entity * state_bytes_;
  for (std::size_t i = 0; i < state_bytes_; i += kCacheLine) __builtin_prefetch(mine + i, 1);
}

void MergeReplay::fetch_rows(std::size_t number) {
  const Entity mine = entity(number);
  __builtin_prefetch(questions_by_entity_.data() + mine.question);
  if (!by_known_.empty()) __builtin_prefetch(by_known_.data() + mine.known);
  for (std::size_t i = first_moving_; i < boundaries_.size(); ++i)
    __builtin_prefetch(by_time_.data() + mine.cursors[i]);
}

void MergeReplay::fetch_events(std::size_t number) {
  const Entity mine = entity(number);
  const std::uint32_t end = event_begin_[number + 1];
  if (mine.known < end && !by_known_.empty())
    __builtin_prefetch(events_.events->row(by_known_[mine.known]));
  for (std::size_t i = first_moving_; i < boundaries_.size(); ++i)
    if (mine.cursors[i] < end) __builtin_prefetch(event_at(mine.cursors[i]));
}

template <std::size_t Width>
void MergeReplay::answer_all(std::uint32_t end, const Places& places) {
  active_.clear();
  for (std::size_t i = 0; i < entities_; ++i)
    if (next_question_[i] < end) active_.push_back(static_cast<std::uint32_t>(i));
  constexpr std::size_t kStateAhead = 9, kRowsAhead = 6, kFirstAhead = 3;
  for (std::size_t at = 0; at < active_.size(); ++at) {
    if (at + kStateAhead < active_.size()) fetch_state(active_[at + kStateAhead]);
    if (at + kRowsAhead < active_.size()) fetch_rows(active_[at + kRowsAhead]);
    if (at + kFirstAhead < active_.size()) fetch_events(active_[at + kFirstAhead]);
    const std::size_t i = active_[at];
    const Entity mine = entity(i);
    std::uint32_t place = mine.question, question = next_question_[i];
    do {
      see<Width>(mine, event_begin_[i + 1], questions_.at_us[question]);
      put<Width>(mine, question - first_, places);
      question = next_question(i, ++place);
    } while (question < end);
    mine.question = place;
    next_question_[i] = question;
  }
}

void MergeReplay::put_nobody(std::uint32_t end, const Places& places) {
  for (; next_nobody_ < nobodys_.size() && nobodys_[next_nobody_] < end; ++next_nobody_)
    for (std::size_t i = 0; i < places.size(); ++i)
      places[i].set(nobodys_[next_nobody_] - first_, 0, outputs_[i % outputs_.size()].is_count);
}

void MergeReplay::answer_until(std::uint32_t end, const Places& places) {
  switch (events_.events->width()) {
    case 1:
      return answer_all<1>(end, places);
    case 2:
      return answer_all<2>(end, places);
    case 3:
      return answer_all<3>(end, places);
    default:
      return answer_all<0>(end, places);
  }
}

void MergeReplay::next(AnswerColumns& answers) {
  const auto end = static_cast<std::uint32_t>(first_ + answers.rows());
  COEVAL_CHECK(end <= questions_.at_us.size());
  Places places;
  for (std::size_t window = 0; window < windows_.size(); ++window)
    for (const Output& output : outputs_) places.push_back(answers.places(output.feature + window));
  for (std::uint32_t part = first_; part < end;) {
    part += std::min(kPart, end - part);
    answer_until(part, places);
  }
  put_nobody(end, places);
  first_ = end;
}

}  // namespace coeval::kernel
