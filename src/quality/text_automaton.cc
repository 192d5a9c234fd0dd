#include "quality/text_automaton.h"

#include <algorithm>
#include <bit>
#include <bitset>
#include <map>

namespace coeval::quality {

namespace {

using Bytes = std::bitset<256>;
/// Positions of a pattern, each one byte of the text: bit i is position i.
using Positions = std::uint64_t;
constexpr std::size_t kMaxPositions = 64;
constexpr std::size_t kMaxStates = 250;
constexpr int kMaxDepth = 40;
constexpr int kMaxAtoms = 4'000;

Bytes range(unsigned from, unsigned to) {
  Bytes bytes;
  for (unsigned b = from; b <= to; ++b) bytes.set(b);
  return bytes;
}

// A part of a pattern: where its texts begin and end, and whether it takes the empty text.
// Source: V. M. Glushkov, The abstract theory of automata, 1961.
struct Part {
  Positions first = 0, last = 0;
  bool empty = true;
};

// Reads a pattern into positions, and which may follow which.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : rest_(pattern) {
    // The whole text is matched, so that anchors at the ends say nothing.
    if (rest_.starts_with('^')) rest_.remove_prefix(1);
    if (rest_.ends_with('$') && !rest_.ends_with("\\$")) rest_.remove_suffix(1);
  }

  // Nothing when the pattern is not of the simple kind.
  std::optional<Part> read() {
    Part whole = alternatives(0);
    if (failed_ || !rest_.empty()) return std::nullopt;
    return whole;
  }
  std::vector<Bytes> bytes;
  std::vector<Positions> follow;

 private:
  Part fail() {
    failed_ = true;
    return {};
  }

  Part position(const Bytes& of) {
    if (bytes.size() == kMaxPositions) return fail();
    bytes.push_back(of);
    follow.push_back(0);
    const Positions bit = Positions{1} << (bytes.size() - 1);
    return {bit, bit, false};
  }

  void connect(Positions from, Positions to) {
    for (std::size_t i = 0; i < follow.size(); ++i)
      if ((from >> i & 1) != 0) follow[i] |= to;
  }
  Part then(Part a, Part b) {
    connect(a.last, b.first);
    return {a.empty ? a.first | b.first : a.first, b.empty ? a.last | b.last : b.last,
            a.empty && b.empty};
  }
  static Part either(Part a, Part b) {
    return {a.first | b.first, a.last | b.last, a.empty || b.empty};
  }

  Part alternatives(int depth) {
    if (depth > kMaxDepth) return fail();
    Part all = sequence(depth);
    while (!failed_ && rest_.starts_with('|')) {
      rest_.remove_prefix(1);
      all = either(all, sequence(depth));
    }
    return all;
  }

  Part sequence(int depth) {
    Part all;
    while (!failed_ && !rest_.empty() && rest_[0] != '|' && rest_[0] != ')')
      all = then(all, repeated(depth));
    return all;
  }

  // An atom with its repeats: it is read again for each, since each needs positions of its own.
  Part repeated(int depth) {
    const std::string_view from = rest_;
    Part one = atom(depth);
    if (failed_) return {};
    std::size_t least = 1, most = 1;
    bool endless = false;
    if (!repeats(least, most, endless)) return one;
    const std::string_view after = rest_;
    // "x{0}" is the empty text: nothing leads to the positions of x.
    if (most == 0 && !endless) return {};
    if (least == 0) one.empty = true;
    Part all = one;
    for (std::size_t i = 1; i < most && !failed_; ++i) {
      rest_ = from;
      Part next = atom(depth);
      if (i >= least) next.empty = true;
      one = next;
      all = then(all, next);
    }
    if (endless) connect(one.last, one.first);
    rest_ = after;
    return all;
  }

  // Whether a repeat stands here, which is taken. Of an endless one `most` copies are made, of
  // which the last repeats.
  bool repeats(std::size_t& least, std::size_t& most, bool& endless) {
    if (rest_.empty()) return false;
    if (rest_[0] == '*' || rest_[0] == '+' || rest_[0] == '?') {
      least = rest_[0] == '+' ? 1 : 0;
      endless = rest_[0] != '?';
      rest_.remove_prefix(1);
    } else if (rest_[0] != '{' || !counts(least, most, endless)) {
      return false;
    }
    if (rest_.starts_with('?')) rest_.remove_prefix(1);  // lazy: the whole text matches or not
    if (!rest_.empty() &&
        (rest_[0] == '*' || rest_[0] == '+' || rest_[0] == '?' || rest_[0] == '{'))
      fail();
    return true;
  }

  bool counts(std::size_t& least, std::size_t& most, bool& endless) {
    rest_.remove_prefix(1);
    if (!number(least)) return fail(), false;
    most = least;
    if (rest_.starts_with(',')) {
      rest_.remove_prefix(1);
      if (rest_.starts_with('}')) {
        endless = true;
        most = std::max<std::size_t>(least, 1);
      } else if (!number(most)) {
        return fail(), false;
      }
    }
    if (!rest_.starts_with('}') || most < least || most > kMaxPositions) return fail(), false;
    rest_.remove_prefix(1);
    return true;
  }
  bool number(std::size_t& value) {
    value = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' && digits < 4; ++digits) {
      value = value * 10 + static_cast<std::size_t>(rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return digits > 0;
  }

  Part atom(int depth) {
    if (++atoms_ > kMaxAtoms) return fail();  // repeats of nothing take no positions
    const char c = rest_[0];
    rest_.remove_prefix(1);
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return characters();
      case '.': {
        Bytes ascii = range(0, 0x7F);
        ascii.reset('\n');
        return with_beyond_ascii(ascii);
      }
      case '\\': {
        Bytes escaped;
        return escape(escaped) ? position(escaped) : fail();
      }
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
      case '^':
      case '$':
        return fail();
      default:
        break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) return fail();
    return position(range(byte, byte));
  }

  Part group(int depth) {
    if (rest_.starts_with("?:"))
      rest_.remove_prefix(2);
    else if (rest_.starts_with('?'))
      return fail();
    Part inner = alternatives(depth + 1);
    if (failed_ || !rest_.starts_with(')')) return fail();
    rest_.remove_prefix(1);
    return inner;
  }

  // After a backslash: a class of characters, or a character that is no letter or digit.
  bool escape(Bytes& out) {
    if (rest_.empty()) return false;
    const auto c = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    if (c == 'd') {
      out |= range('0', '9');
    } else if (c == 'w') {
      out |= range('0', '9') | range('A', 'Z') | range('a', 'z') | range('_', '_');
    } else if (c == 's') {
      for (const char space : {'\t', '\n', '\f', '\r', ' '})
        out.set(static_cast<unsigned char>(space));
    } else if (c > 0x20 && c < 0x7F && !(range('0', '9') | range('A', 'Z') | range('a', 'z'))[c]) {
      out.set(c);
    } else {
      return false;
    }
    return true;
  }

  Part characters() {
    const bool negated = rest_.starts_with('^');
    if (negated) rest_.remove_prefix(1);
    Bytes set;
    bool first = true;
    while (!rest_.empty() && (rest_[0] != ']' || first)) {
      first = false;
      if (!member(set)) return fail();
    }
    if (rest_.empty()) return fail();
    rest_.remove_prefix(1);
    if (!negated) return set.any() ? position(set) : fail();
    return with_beyond_ascii(~set & range(0, 0x7F));
  }

  // A character, an escape or a range of a class.
  bool member(Bytes& set) {
    const auto c = static_cast<unsigned char>(rest_[0]);
    if (c >= 0x80 || c == '[') return false;
    rest_.remove_prefix(1);
    if (c == '\\') return escape(set) && !rest_.starts_with('-');
    if (!rest_.starts_with('-') || rest_.starts_with("-]")) {
      // A dash alone is only taken at an end: elsewhere it is easily meant otherwise.
      if (c == '-' && set.any() && !rest_.starts_with(']')) return false;
      set.set(c);
      return true;
    }
    if (rest_.size() < 2) return false;
    const auto to = static_cast<unsigned char>(rest_[1]);
    if (to >= 0x80 || to < c || to == '\\' || to == '[') return false;
    rest_.remove_prefix(2);
    set |= range(c, to);
    return true;
  }

  // One character: of these of ASCII, or any beyond it. The text is well-formed, so that the first
  // byte tells how many follow.
  Part with_beyond_ascii(const Bytes& ascii) {
    const Bytes following = range(0x80, 0xBF);
    Part any = position(ascii);
    Part two = then(position(range(0xC2, 0xDF)), position(following));
    Part three = then(then(position(range(0xE0, 0xEF)), position(following)), position(following));
    Part four =
        then(then(then(position(range(0xF0, 0xF4)), position(following)), position(following)),
             position(following));
    return either(either(any, two), either(three, four));
  }

  std::string_view rest_;
  bool failed_ = false;
  int atoms_ = 0;
};

}  // namespace

// States are sets of positions: those that the last byte may stand at.
class AutomatonBuilder {
 public:
  AutomatonBuilder(const PatternReader& read, Part whole) : read_(read), whole_(whole) {}

  std::optional<TextAutomaton> build() {
    number_bytes();
    automaton_.accepting_ = {0,
                             static_cast<std::uint8_t>(whole_.empty)};  // the dead one, the start
    automaton_.next_.assign(2 * std::size_t{automaton_.classes_}, 0);
    fill(1, whole_.first);
    for (std::size_t done = 0; done < sets_.size(); ++done) {
      Positions reached = 0;
      for (Positions left = sets_[done]; left != 0; left &= left - 1)
        reached |= read_.follow[static_cast<std::size_t>(std::countr_zero(left))];
      fill(done + 2, reached);
      if (automaton_.accepting_.size() > kMaxStates) return std::nullopt;
    }
    return std::move(automaton_);
  }

 private:
  // Bytes that the same positions take are one class.
  void number_bytes() {
    std::map<Positions, std::uint8_t> classes;
    for (std::size_t b = 0; b < 256; ++b) {
      Positions taken = 0;
      for (std::size_t i = 0; i < read_.bytes.size(); ++i)
        if (read_.bytes[i][b]) taken |= Positions{1} << i;
      const auto [at, added] = classes.emplace(taken, static_cast<std::uint8_t>(classes.size()));
      automaton_.class_of_[b] = at->second;
      if (added) taken_.push_back(taken);
    }
    automaton_.classes_ = static_cast<unsigned>(classes.size());
  }

  // Where each class leads from a state from which these positions are next.
  void fill(std::size_t state, Positions next) {
    for (std::size_t c = 0; c < taken_.size(); ++c)
      automaton_.next_[state * taken_.size() + c] = state_of(next & taken_[c]);
  }

  std::uint8_t state_of(Positions set) {
    if (set == 0) return 0;
    const auto [at, added] = states_.emplace(set, sets_.size() + 2);
    if (added) {
      sets_.push_back(set);
      automaton_.accepting_.push_back((set & whole_.last) != 0);
      automaton_.next_.resize(automaton_.next_.size() + taken_.size());
    }
    return static_cast<std::uint8_t>(std::min<std::size_t>(at->second, 255));
  }

  const PatternReader& read_;
  const Part whole_;
  std::vector<Positions> taken_;  // by class
  std::vector<Positions> sets_;   // of the states from the third on
  std::map<Positions, std::size_t> states_;
  TextAutomaton automaton_;
};

std::optional<TextAutomaton> TextAutomaton::compile(std::string_view pattern) {
  PatternReader reader(pattern);
  const auto whole = reader.read();
  if (!whole) return std::nullopt;
  return AutomatonBuilder(reader, *whole).build();
}

}  // namespace coeval::quality
