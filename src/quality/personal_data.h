#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/worker_pool.h"
#include "data/column.h"
#include "define/project.h"

namespace coeval::quality {

/// What a value looks like that tells of a person.
enum class PersonalKind : std::uint8_t { email, card_number, iban, phone, ip_address };
inline constexpr std::size_t kPersonalKinds = 5;
/// "an e-mail address", "a card number", … for messages.
std::string_view name(PersonalKind kind);

/// What a text looks like, spaces around it aside; nothing for most texts.
///
/// A card number has 12 to 19 digits, which blanks or hyphens may divide into groups, begins as an
/// issuer's numbers do and has Luhn's check digit (ISO/IEC 7812). An IBAN has the length of a
/// country and the remainder 1 modulo 97 (ISO 13616). A phone number begins with + and a country
/// code (E.164), or is ten digits written as (212) 555-0123 or 212-555-0123. An address of the
/// Internet is four decimal bytes or RFC 4291's text. Addresses of e-mail are those that people
/// have, not all that RFC 5322 allows.
std::optional<PersonalKind> personal_kind(std::string_view text);

/// A column whose values look personal.
struct PersonalColumn {
  std::string column;
  PersonalKind kind = PersonalKind::email;
  std::int64_t alike = 0;   ///< values that look so
  std::int64_t looked = 0;  ///< values that were looked at, nulls aside
};

/// Looks at some values of each column of strings and numbers, spread over the rows that it is
/// given. A column looks personal when at least five values and a fifth of those looked at do; of
/// card numbers, since one number in ten has the check digit by chance, two thirds of them.
///
/// A number, whole and of at most 2^53 if it is a float64, may be that of a card. It is a phone's
/// when it has 8 to 15 digits and the column's name has "phone", "mobile", "tel", "fax" or "msisdn"
/// for a word: digits alone are anything's.
///
/// Determinism: a function of the batches in their order. Complexity: at most kValuesLooked values
/// of a column and batch.
class PersonalDataDetector {
 public:
  static constexpr std::int64_t kValuesLooked = 512;

  /// All batches have one schema. A column is one part of the pool's, where there is one.
  void add(const data::Batch& batch, WorkerPool* pool = nullptr);
  /// In the order of the columns.
  std::vector<PersonalColumn> found() const;

 private:
  struct Seen {
    std::string column;
    bool is_named_phone = false;
    std::int64_t looked = 0;
    std::array<std::int64_t, kPersonalKinds> alike{};
  };
  void look(const data::Column& column, Seen& seen);
  std::vector<Seen> columns_;
};

/// The columns whose values are not shown: those that are tagged, and the texts that they are taken
/// out of.
std::vector<std::string> personal_columns(const define::Source& source);
/// Of columns that look personal those of which the definition says neither that they are, nor that
/// they are not.
std::vector<PersonalColumn> untagged(const define::Source& source,
                                     std::vector<PersonalColumn> found);
/// "column 'mail' looks like an e-mail address (9 of 10 values): tag it …"
std::string personal_text(const PersonalColumn& column);

/// Why a row could not be read, without what stands there: up to "found", and nothing in quotes.
std::string without_values(const std::string& reason);

}  // namespace coeval::quality
