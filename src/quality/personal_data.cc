#include "quality/personal_data.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace coeval::quality {

namespace {

constexpr std::int64_t kFewest = 5;
constexpr std::int64_t kLeastCardNumber = 100'000'000'000;  // 12 digits
constexpr std::int64_t kLeastPhone = 10'000'000;            // 8 digits
constexpr std::size_t kLongestText = 254;                   // of an address of e-mail, by RFC 5321

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
bool is_letter_or_digit(char c) { return is_letter(c) || is_digit(c); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The digits of a text that holds nothing else but single characters of `between` among them.
std::optional<std::string> digits_of(std::string_view text, std::string_view between) {
  std::string digits;
  bool divided = true;  // a divider may not come first, nor after another
  for (const char c : text) {
    if (is_digit(c)) {
      digits += c;
    } else if (divided || between.find(c) == std::string_view::npos) {
      return std::nullopt;
    }
    divided = !is_digit(c);
  }
  if (divided) return std::nullopt;
  return digits;
}

bool is_domain(std::string_view domain) {
  if (domain.size() < 4 || domain.find('.') == std::string_view::npos) return false;
  std::size_t label = 0;
  bool letters_only = true;
  for (std::size_t i = 0; i <= domain.size(); ++i) {
    if (i == domain.size() || domain[i] == '.') {
      const std::size_t size = i - label;
      if (size == 0 || size > 63 || domain[label] == '-' || domain[i - 1] == '-') return false;
      if (i == domain.size()) return letters_only && size >= 2;  // of the top domain
      label = i + 1;
      letters_only = true;
    } else if (is_letter_or_digit(domain[i]) || domain[i] == '-') {
      letters_only = letters_only && is_letter(domain[i]);
    } else {
      return false;
    }
  }
  return false;
}

bool is_email(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~.";
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at);
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos)
    return false;
  const bool plain = std::ranges::all_of(local, [&](char c) {
    return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
  });
  return plain && is_domain(text.substr(at + 1));
}

bool has_luhn_digit(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

// By the first digits that the large issuers have: American Express, Diners and JCB, Visa,
// Mastercard, Maestro, Discover and UnionPay.
bool has_issuer(std::string_view digits) {
  int four = 0;
  std::from_chars(digits.data(), digits.data() + 4, four);
  const int two = four / 100;
  switch (two / 10) {
    case 2:
      return four >= 2221 && four <= 2720;
    case 3:
      return two == 30 || two >= 34;
    case 4:
      return true;
    case 5:
      return two == 50 || (two >= 51 && two <= 58);
    default:
      return two / 10 == 6;
  }
}

bool is_card_number(std::string_view text) {
  if (text.size() < 12) return false;
  const auto digits = digits_of(text, " -");
  return digits && digits->size() >= 12 && digits->size() <= 19 && has_issuer(*digits) &&
         has_luhn_digit(*digits);
}

struct IbanLength {
  char country[3];
  std::size_t length;
};
// The registry of ISO 13616, by country.
constexpr IbanLength kIbanLengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
    {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
    {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27},
    {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20},
    {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20}, {"MR", 27},
    {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24}, {"PL", 28},
    {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24}, {"SC", 31},
    {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28},
    {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}};

bool is_iban(std::string_view text) {
  if (text.size() < 15) return false;
  std::string plain;
  for (const char c : text)
    if (c != ' ') plain += c;
  if (plain.size() < 15 || plain.size() > 34) return false;
  const auto country = std::ranges::find_if(
      kIbanLengths, [&](const IbanLength& one) { return plain.starts_with(one.country); });
  if (country == std::end(kIbanLengths) || country->length != plain.size()) return false;
  std::rotate(plain.begin(), plain.begin() + 4, plain.end());
  int rest = 0;
  for (const char c : plain) {
    if (is_digit(c))
      rest = (rest * 10 + (c - '0')) % 97;
    else if (is_upper(c))
      rest = (rest * 100 + (c - 'A' + 10)) % 97;
    else
      return false;
  }
  return rest == 1;
}

// (212) 555-0123, 212-555-0123, 212.555.0123
bool is_national_phone(std::string_view text) {
  if (text.size() < 12 || text.size() > 14) return false;
  std::string shape;
  for (const char c : text) shape += is_digit(c) ? '9' : c;
  return shape == "(999) 999-9999" || shape == "(999)999-9999" || shape == "999-999-9999" ||
         shape == "999.999.9999";
}

bool is_phone(std::string_view text) {
  if (!text.starts_with('+')) return is_national_phone(text);
  std::string digits;
  for (const char c : text.substr(1)) {
    if (is_digit(c))
      digits += c;
    else if (std::string_view(" -.()/").find(c) == std::string_view::npos)
      return false;
  }
  return digits.size() >= 8 && digits.size() <= 15 && digits.front() != '0';
}

bool is_ip_address(std::string_view text) {
  if (text.size() > 45) return false;
  const bool four = std::ranges::count(text, '.') == 3 && text.find(':') == std::string_view::npos;
  if (!four && std::ranges::count(text, ':') < 2) return false;
  const std::string ended(text);
  unsigned char bytes[16];
  return ::inet_pton(four ? AF_INET : AF_INET6, ended.c_str(), bytes) == 1;
}

bool may_be_number_of(data::Type type) {
  return type == data::Type::int32 || type == data::Type::int64 || type == data::Type::float64 ||
         (data::is_decimal(type) && data::scale_of(type) == 0);
}

// The digits of a number that is whole and at least `least`, else nothing.
std::string whole_number(const data::Column& column, std::int64_t row, std::int64_t least) {
  constexpr double kMostExact = 9007199254740992;  // 2^53
  if (!data::is_float(column.type())) {
    const std::int64_t value = column.integer(row);
    return value >= least ? std::to_string(value) : std::string();
  }
  const double value = column.real(row);
  if (!(value >= static_cast<double>(least) && value <= kMostExact) || value != std::floor(value))
    return {};
  return std::to_string(static_cast<std::int64_t>(value));
}

std::optional<PersonalKind> kind_of_number(std::string_view digits, bool is_named_phone) {
  constexpr std::size_t kFewestDigits = 8, kMostDigits = 15;  // E.164 has at most 15
  if (digits.empty()) return std::nullopt;
  if (is_named_phone && digits.size() >= kFewestDigits && digits.size() <= kMostDigits)
    return PersonalKind::phone;
  return is_card_number(digits) ? std::optional(PersonalKind::card_number) : std::nullopt;
}

// The words of a column's name, which _, -, blanks and capitals divide.
bool names_phone(std::string_view name) {
  constexpr std::string_view kWords[] = {"phone", "phones", "telephone", "mobile",     "tel",
                                         "fax",   "msisdn", "phoneno",   "phonenumber"};
  std::string word;
  const auto is_one = [&] {
    return std::ranges::find(kWords, std::string_view(word)) != std::end(kWords);
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool begins = i > 0 && is_upper(name[i]) && !is_upper(name[i - 1]);
    if (!is_letter(name[i]) || begins) {
      if (is_one()) return true;
      word.clear();
    }
    if (is_letter(name[i])) word += static_cast<char>(name[i] | 0x20);
  }
  return is_one();
}

bool looks_so(PersonalKind kind, std::int64_t alike, std::int64_t looked) {
  if (alike < kFewest) return false;
  return kind == PersonalKind::card_number ? alike * 3 >= looked * 2 : alike * 5 >= looked;
}

}  // namespace

std::string_view name(PersonalKind kind) {
  constexpr std::string_view kNames[kPersonalKinds] = {
      "an e-mail address", "a card number", "an IBAN", "a phone number", "an IP address"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<PersonalKind> personal_kind(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 3 || text.size() > kLongestText) return std::nullopt;
  // Only RFC 4291 has shorter ones: the least is a@b.cc, +12345678, 1.2.3.4.
  constexpr std::size_t kShortest = 6;
  if (text.size() < kShortest && text.find(':') == std::string_view::npos) return std::nullopt;
  if (is_email(text)) return PersonalKind::email;
  if (is_card_number(text)) return PersonalKind::card_number;
  if (is_iban(text)) return PersonalKind::iban;
  if (is_phone(text)) return PersonalKind::phone;
  if (is_ip_address(text)) return PersonalKind::ip_address;
  return std::nullopt;
}

void PersonalDataDetector::add(const data::Batch& batch, WorkerPool* pool) {
  if (columns_.empty())
    for (const data::Field& field : batch.schema.fields)
      columns_.push_back(Seen{.column = field.name, .is_named_phone = names_phone(field.name)});
  run_parts(pool, columns_.size(), [&](std::size_t i) { look(batch.columns[i], columns_[i]); });
}

void PersonalDataDetector::look(const data::Column& column, Seen& seen) {
  const bool is_text = column.type() == data::Type::string;
  if (!is_text && !may_be_number_of(column.type())) return;
  const std::int64_t step = std::max<std::int64_t>(1, column.size() / kValuesLooked);
  const std::int64_t least = seen.is_named_phone ? kLeastPhone : kLeastCardNumber;
  std::int64_t looked = 0;
  for (std::int64_t row = 0; row < column.size() && looked < kValuesLooked; row += step) {
    if (column.is_null(row)) continue;
    ++looked;
    const auto kind = is_text
                          ? personal_kind(column.string(row))
                          : kind_of_number(whole_number(column, row, least), seen.is_named_phone);
    if (kind) ++seen.alike[static_cast<std::size_t>(*kind)];
  }
  seen.looked += looked;
}

std::vector<PersonalColumn> PersonalDataDetector::found() const {
  std::vector<PersonalColumn> found;
  for (const Seen& seen : columns_) {
    const auto most = std::ranges::max_element(seen.alike);
    const auto kind = static_cast<PersonalKind>(most - seen.alike.begin());
    if (looks_so(kind, *most, seen.looked))
      found.push_back({seen.column, kind, *most, seen.looked});
  }
  return found;
}

std::vector<std::string> personal_columns(const define::Source& source) {
  std::vector<std::string> names;
  for (const define::SourceColumn& column : source.columns) {
    if (!column.pii) continue;
    names.push_back(column.name);
    if (column.json) names.push_back(column.json->column);
  }
  return names;
}

std::vector<PersonalColumn> untagged(const define::Source& source,
                                     std::vector<PersonalColumn> found) {
  std::vector<std::string> said = personal_columns(source);
  for (const define::SourceColumn& column : source.columns)
    if (column.not_pii) said.push_back(column.name);
  std::erase_if(found, [&](const PersonalColumn& column) {
    return std::ranges::find(said, column.column) != said.end();
  });
  return found;
}

std::string personal_text(const PersonalColumn& column) {
  return "column '" + column.column + "' looks like " + std::string(name(column.kind)) + " (" +
         std::to_string(column.alike) + " of " + std::to_string(column.looked) +
         " values): tag it with pii = true, or with pii = false if it is none";
}

std::string without_values(const std::string& reason) {
  const std::string text = reason.substr(0, reason.find(", found"));
  std::string out;
  char quote = 0;
  for (const char c : text) {
    const bool quotes = quote == 0 ? c == '\'' || c == '"' : c == quote;
    if (quotes) {
      if (quote != 0) out += "***";
      out += c;
      quote = quote == 0 ? c : 0;
    } else if (quote == 0) {
      out += c;
    }
  }
  if (quote != 0) out += "***";
  return text.size() < reason.size() ? out + ", found something else" : out;
}

}  // namespace coeval::quality
