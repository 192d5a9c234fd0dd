#include "quality/personal_data.h"

#include <doctest/doctest.h>

namespace coeval::quality {
namespace {

std::optional<PersonalKind> kind(std::string_view text) { return personal_kind(text); }

TEST_CASE("addresses of e-mail are those that people have") {
  for (const char* text : {"ada@example.org", "a.b+c@mail.example.co.uk", " x_1@example.museum "})
    CHECK_MESSAGE(kind(text) == PersonalKind::email, text);
  for (const char* text :
       {"ada@", "@example.org", "a@b", "a@localhost", "a..b@example.org", ".a@example.org",
        "a b@example.org", "a@-x.org", "a@example.o1", "a@@example.org", "a@example..org"})
    CHECK_MESSAGE(kind(text) == std::nullopt, text);
}

// The numbers are those that the issuers publish for tests.
TEST_CASE("a card number has its issuer's first digits and Luhn's last") {
  for (const char* text :
       {"4111111111111111", "4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005",
        "6011111111111117", "30569309025904", "3530111333300000", "2223003122003222"})
    CHECK_MESSAGE(kind(text) == PersonalKind::card_number, text);
  for (const char* text : {"4111111111111112", "41111111111", "1111111111111117",
                           "4111  1111 1111 1111", "-4111111111111111", "0000000000000000"})
    CHECK_MESSAGE(kind(text) == std::nullopt, text);
}

// The examples of the registry of ISO 13616.
TEST_CASE("an IBAN has its country's length and the remainder 1") {
  for (const char* text :
       {"DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606",
        "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300",
        "SA0380000000608010167519", "BR1800360305000010009795493C1"})
    CHECK_MESSAGE(kind(text) == PersonalKind::iban, text);
  for (const char* text : {"DE89370400440532013001", "DE8937040044053201300",
                           "XX89370400440532013000", "de89370400440532013000"})
    CHECK_MESSAGE(kind(text) == std::nullopt, text);
}

TEST_CASE("phone numbers and what only looks like one") {
  for (const char* text :
       {"+49 30 123456", "+1 (212) 555-0123", "(212) 555-0123", "212-555-0123", "+442079460958"})
    CHECK_MESSAGE(kind(text) == PersonalKind::phone, text);
  for (const char* text : {"2001-05-01", "2125550123", "+12", "+0123456789", "12:30:15",
                           "3.1415926", "+1234567890123456", "100-200-300"})
    CHECK_MESSAGE(kind(text) == std::nullopt, text);
}

TEST_CASE("addresses of the Internet, of both kinds") {
  for (const char* text : {"192.168.0.1", "8.8.8.8", "2001:db8::1", "::1", "fe80::1:2:3:4"})
    CHECK_MESSAGE(kind(text) == PersonalKind::ip_address, text);
  for (const char* text : {"192.168.0.256", "1.2.3", "1.2.3.4.5", "12:30:15", "a:b", "1::2::3"})
    CHECK_MESSAGE(kind(text) == std::nullopt, text);
}

data::Batch two_columns(std::int64_t rows, auto text_of, auto number_of) {
  data::ColumnBuilder text(data::Type::string), number(data::Type::int64);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::string value = text_of(row);
    if (value.empty())
      text.append_null();
    else
      text.append_string(value);
    number.append_integer(number_of(row));
  }
  return {{{{"note", data::Type::string, true}, {"number", data::Type::int64, false}}},
          {text.finish(), number.finish()},
          rows};
}

TEST_CASE("a column looks personal when enough of its values do") {
  const auto mail = [](std::int64_t row) { return "user" + std::to_string(row) + "@example.org"; };
  const auto plain = [](std::int64_t row) { return "order " + std::to_string(row); };
  const auto counting = [](std::int64_t row) { return row; };
  const auto found = [](const data::Batch& batch) {
    PersonalDataDetector detector;
    detector.add(batch);
    return detector.found();
  };

  const auto all = found(two_columns(2000, mail, counting));
  REQUIRE(all.size() == 1);
  CHECK(all[0].column == "note");
  CHECK(all[0].kind == PersonalKind::email);
  CHECK(all[0].alike == all[0].looked);
  CHECK(all[0].looked == PersonalDataDetector::kValuesLooked);

  const auto each = [&](std::int64_t nth) {
    return [=](std::int64_t row) { return row % nth == 0 ? mail(row) : plain(row); };
  };
  CHECK(found(two_columns(500, each(5), counting)).size() == 1);
  CHECK(found(two_columns(500, each(6), counting)).empty());
  CHECK(found(two_columns(4, mail, counting)).empty());  // too few to tell
  CHECK(found(two_columns(500, [](std::int64_t) { return std::string(); }, counting)).empty());
}

TEST_CASE("one number in ten has Luhn's digit: numbers are cards only where most are") {
  const auto none = [](std::int64_t) { return std::string(); };
  const auto find = [&](auto number_of) {
    PersonalDataDetector detector;
    detector.add(two_columns(500, none, number_of));
    return detector.found();
  };
  CHECK(find([](std::int64_t row) { return 4'000'000'000'000'000 + row; }).empty());
  const auto cards = find([](std::int64_t row) {
    std::int64_t number = 4'000'000'000'000'000 + row * 10;
    for (; kind(std::to_string(number)) != PersonalKind::card_number;) ++number;
    return number;
  });
  REQUIRE(cards.size() == 1);
  CHECK(cards[0].column == "number");
  CHECK(cards[0].kind == PersonalKind::card_number);
}

TEST_CASE("numbers are a card's by their digits, a phone's by the column's name besides") {
  const auto found = [](const std::string& name, data::Type type, auto value_of) {
    data::ColumnBuilder builder(type);
    for (std::int64_t row = 0; row < 50; ++row) builder.append(data::Value(value_of(row)));
    data::Batch batch{{{{name, type, false}}}, {}, 50};
    batch.columns.push_back(builder.finish());
    PersonalDataDetector detector;
    detector.add(batch);
    const auto columns = detector.found();
    return columns.empty() ? std::optional<PersonalKind>() : columns[0].kind;
  };
  // Numbers that issuers give out for trials.
  const auto card = [](std::int64_t row) {
    return row % 2 == 0 ? 4'111'111'111'111'111.0 : 5'555'555'555'554'444.0;
  };
  CHECK(found("x", data::Type::float64, card) == PersonalKind::card_number);
  CHECK_FALSE(found("x", data::Type::float64, [&](std::int64_t row) { return card(row) / 8; }));
  const auto phone = [](std::int64_t row) { return 15'551'230'000 + row; };
  for (const char* name : {"phone", "home_phone", "homePhone", "Mobile", "contact-tel-2"})
    CHECK(found(name, data::Type::int64, phone) == PersonalKind::phone);
  for (const char* name : {"id", "hotel", "telemetry", "telephoneless"})
    CHECK_FALSE(found(name, data::Type::int64, phone));
  CHECK_FALSE(found("phone", data::Type::int64, [](std::int64_t row) { return row; }));
}

TEST_CASE("what is looked at adds up over batches") {
  PersonalDataDetector detector;
  const auto address = [](std::int64_t row) { return "10.0.0." + std::to_string(row); };
  for (int i = 0; i < 3; ++i)
    detector.add(two_columns(3, address, [](std::int64_t row) { return row; }));
  const auto found = detector.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == PersonalKind::ip_address);
  CHECK(found[0].alike == 9);
  CHECK(found[0].looked == 9);
}

TEST_CASE("nobody is asked about a column of which the definition says whether it is personal") {
  const auto left = [](const std::string& tag) {
    const auto checked = define::check_text(
        "[project]\nname = \"p\"\n[source.s]\ntime = \"ts\"\nknown = \"event time\"\n"
        "[source.s.columns]\nts = { type = \"timestamp\", known = \"ts\" }\n"
        "mail = { type = \"string\", known = \"ts\"" +
            tag + " }\n",
        "coeval.toml");
    REQUIRE(checked.project);
    return untagged(checked.project->sources[0], {{"mail", PersonalKind::email, 9, 10}}).size();
  };
  CHECK(left("") == 1);
  CHECK(left(", pii = true") == 0);
  CHECK(left(", pii = false") == 0);
  CHECK(personal_text({"mail", PersonalKind::email, 9, 10}) ==
        "column 'mail' looks like an e-mail address (9 of 10 values): tag it with pii = true, or "
        "with pii = false if it is none");
}

TEST_CASE("of a row that could not be read it is told why, without what stands there") {
  CHECK(without_values("age: expected int32, found a string: \"jane@pii.org\"") ==
        "age: expected int32, found something else");
  CHECK(without_values("phone: expected string, found an integer: 491711234567; b: is missing") ==
        "phone: expected string, found something else");
  CHECK(without_values("column 3, age: 'jane@pii.org' is no int32") ==
        "column 3, age: '***' is no int32");
  CHECK(without_values("4 fields, not 5") == "4 fields, not 5");
  CHECK(without_values("a quote without \"end") == "a quote without \"***");
}

}  // namespace
}  // namespace coeval::quality
