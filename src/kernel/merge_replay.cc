#include "kernel/merge_replay.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "exact/integer_sum.h"

namespace coeval::kernel {

namespace {

// Events and questions are asked for so many places before they are looked at.
constexpr std::size_t kAhead = 12;

// Sums of more bytes than this are not looked at again soon enough.
constexpr std::size_t kNearBytes = std::size_t{1} << 20;

// Sums of so many bytes are asked for ahead of time.
constexpr std::size_t kFarBytes = std::size_t{128} << 10;

constexpr std::size_t kTile = AnswerColumns::kTile;

std::vector<WindowBounds> bounds_of_windows(const define::View& view,
                                            std::vector<Boundary>& boundaries) {
  boundaries.assign(1, {});  // T itself
  std::vector<WindowBounds> windows;
  for (const auto& window : view.windows) windows.push_back(bounds_of(window, boundaries));
  return windows;
}

}  // namespace

bool MergeReplay::can_answer(const define::View& view, const RecordLayout& layout) {
  return !linear_plans(layout).empty() &&
         std::ranges::all_of(view.windows, [](const define::Window& window) {
           return window.period == define::Period::none;
         });
}

bool MergeReplay::is_quicker(const define::View& view, const RecordLayout& layout,
                             std::size_t entities, const EventBlock& events) {
  std::vector<Boundary> boundaries;
  bounds_of_windows(view, boundaries);
  const std::size_t words = (layout.bit_count + 1) / 2 + layout.narrow_count;
  if (entities * boundaries.size() * words * sizeof(std::uint64_t) > kNearBytes) return false;
  for (std::size_t i = 0; i < events.known_us.size(); ++i)
    if (events.known_us[i] > events.event_time_us[i]) return true;
  return false;
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

bool MergeReplay::can_share(const define::View& a, const define::View& b) {
  std::vector<Boundary> of_a, of_b;
  return bounds_of_windows(a, of_a) == bounds_of_windows(b, of_b) && of_a == of_b;
}

MergeReplay::MergeReplay(std::span<const MergedView> views, HistoryEvents events,
                         HistoryQuestions questions)
    : windows_(bounds_of_windows(*views.front().definition, boundaries_)),
      first_moving_(events.events->known_after() ? 1 : 0),
      events_(std::move(events)),
      questions_(questions),
      width_(events_.events->width()),
      stride_(boundaries_.size() * width_),
      cursors_(boundaries_.size()),
      tile_(views.size() * windows_.size() * width_ * kTile) {
  COEVAL_CHECK(events_.by_known.size() < UINT32_MAX);  // what counters of bits can hold
  for (const MergedView& mine : views) {
    COEVAL_CHECK(mine.entities < INT32_MAX);
    Sums& sums = sums_.emplace_back();
    sums.of_events = mine.of_events;
    sums.of_questions = mine.of_questions;
    sums.entities = static_cast<std::uint32_t>(mine.entities);
    sums.words.assign((mine.entities + 2) * stride_, 0);
    sums.is_far = sums.words.size() * sizeof(std::uint64_t) > kFarBytes;
    any_far_ = any_far_ || sums.is_far;
    const auto& aggregates = mine.layout->aggregates;
    for (std::size_t i = 0; i < aggregates.size(); ++i)
      if (const auto linear = linear_plan(aggregates[i]))
        sums.outputs.push_back({linear->is_count, linear->is_mean,
                                events_.events->place(linear->part),
                                events_.events->place(linear->sum), i});
  }
}

template <std::size_t Width>
void MergeReplay::add(std::size_t boundary, std::int64_t row) {
  const std::size_t width = Width == 0 ? width_ : Width;
  const std::uint64_t* added = AddedEvents::added(events_.events->row(row));
  for (Sums& sums : sums_) {
    std::uint64_t* to = event_sums(sums, row) + boundary * width;
    for (std::size_t i = 0; i < width; ++i) to[i] += added[i];
  }
}

// What is looked at soon lies here and there in memory.
void MergeReplay::fetch_events(std::span<const std::int64_t> rows, std::size_t place) {
  if (place + kAhead >= rows.size()) return;
  const std::int64_t row = rows[place + kAhead];
  __builtin_prefetch(events_.events->row(row));
  if (!any_far_) return;
  for (Sums& sums : sums_)
    if (sums.is_far) __builtin_prefetch(event_sums(sums, row), 1);
}

void MergeReplay::fetch_question(std::size_t place) {
  if (!any_far_ || place + kAhead >= questions_.order.size()) return;
  for (const Sums& sums : sums_)
    if (sums.is_far) __builtin_prefetch(question_sums(sums, questions_.order[place + kAhead]), 1);
}

// Brings the sums up to T: first the events that became known, then those that a bound has come by.
template <std::size_t Width>
void MergeReplay::see(std::int64_t at_us) {
  const AddedEvents& events = *events_.events;
  const std::size_t boundaries = boundaries_.size(), first_moving = first_moving_;
  std::int64_t gone_by = INT64_MIN;
  for (std::size_t i = first_moving; i < boundaries; ++i)
    gone_by = std::max(gone_by, bound(boundaries_[i], asked_at_));
  std::size_t known = known_;
  for (; known < events_.by_known.size(); ++known) {
    const std::int64_t row = events_.by_known[known];
    const std::uint64_t* event = events.row(row);
    if (AddedEvents::known_of(event) >= at_us) break;
    fetch_events(events_.by_known, known);
    if (first_moving > 0) add<Width>(0, row);
    if (AddedEvents::time_of(event) >= gone_by) [[likely]]
      continue;
    for (std::size_t i = first_moving; i < boundaries; ++i)
      if (AddedEvents::time_of(event) < bound(boundaries_[i], asked_at_)) add<Width>(i, row);
  }
  known_ = known;
  for (std::size_t i = first_moving; i < boundaries; ++i) {
    const std::int64_t to = bound(boundaries_[i], at_us);
    std::size_t cursor = cursors_[i];
    for (; cursor < events_.by_time.size(); ++cursor) {
      const std::int64_t row = events_.by_time[cursor];
      const std::uint64_t* event = events.row(row);
      if (AddedEvents::time_of(event) >= to) break;
      fetch_events(events_.by_time, cursor);
      if (AddedEvents::known_of(event) < at_us) [[likely]]
        add<Width>(i, row);
    }
    cursors_[i] = cursor;
  }
  asked_at_ = at_us;
}

template <std::size_t Width>
void MergeReplay::answer_tile(std::size_t rows) {
  const std::size_t width = Width == 0 ? width_ : Width;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::int64_t question = questions_.order[next_question_];
    fetch_question(next_question_++);
    const std::int64_t at_us = questions_.at_us[static_cast<std::size_t>(question)];
    if (at_us != asked_at_) see<Width>(at_us);
    std::uint64_t* to = tile_.data() + i;
    for (std::size_t view = 0; view < sums_.size(); ++view) {
      const Sums& sums = sums_[view];
      const std::uint64_t* mine = question_sums(sums, question);
      for (const WindowBounds& window : windows_) {
        const std::uint64_t* now = mine + window.end * width;
        const std::uint64_t* then = mine + window.begin * width;
        for (std::size_t word = 0; word < width; ++word, to += kTile) *to = now[word] - then[word];
      }
    }
  }
}

// semantics: A7 V3
void MergeReplay::put_tile(std::size_t first, std::size_t rows,
                           std::span<AnswerColumns> answers) const {
  const std::uint64_t* window = tile_.data();
  for (std::size_t view = 0; view < sums_.size(); ++view)
    for (std::size_t w = 0; w < windows_.size(); ++w, window += width_ * kTile)
      for (const Output& output : sums_[view].outputs) {
        const std::uint64_t* part = window + output.part.word * kTile;
        const std::uint64_t* sum = window + output.sum.word * kTile;
        const std::size_t feature = output.aggregate * windows_.size() + w;
        std::uint64_t* to = answers[view].values(feature) + first;
        if (output.is_count) {
          for (std::size_t i = 0; i < rows; ++i)
            to[i] = static_cast<std::uint64_t>(output.part.of(part[i]));
          continue;
        }
        // Where nothing takes part the sum is 0, and so are the bits of the null.
        std::uint64_t nulls = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          const std::int64_t count = output.part.of(part[i]);
          const std::int64_t total = output.sum.of(sum[i]);
          to[i] = output.is_mean
                      ? std::bit_cast<std::uint64_t>(exact::mean(total, count | (count == 0)))
                      : static_cast<std::uint64_t>(total);
          nulls |= std::uint64_t{count == 0} << i;
        }
        if (nulls != 0) answers[view].put_nulls(feature, first, nulls);
      }
}

void MergeReplay::next(std::span<AnswerColumns> answers) {
  COEVAL_CHECK(answers.size() == sums_.size());
  const std::size_t rows = answers.front().rows();
  COEVAL_CHECK(next_question_ + rows <= questions_.order.size());
  for (std::size_t first = 0; first < rows; first += kTile) {
    const std::size_t size = std::min(kTile, rows - first);
    switch (width_) {
      case 1:
        answer_tile<1>(size);
        break;
      case 2:
        answer_tile<2>(size);
        break;
      case 3:
        answer_tile<3>(size);
        break;
      default:
        answer_tile<0>(size);
    }
    put_tile(first, size, answers);
  }
}

}  // namespace coeval::kernel
