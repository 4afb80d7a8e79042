// The choices of an answer are a range, in C++17 and with its concepts in C++20: run under tests/with_endpoint.sh.

#include <nomyo.hpp>

#include "check.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if __cplusplus >= 202002L
#include <ranges>
static_assert(std::random_access_iterator<nomyo::Choices::iterator>);
static_assert(std::ranges::random_access_range<nomyo::Choices> && std::ranges::sized_range<nomyo::Choices>);
static_assert(std::ranges::common_range<nomyo::Choices> && std::ranges::view<nomyo::Choices>);
static_assert(std::ranges::borrowed_range<nomyo::Choices>, "the iterators live as long as the answer, not as this view");
#endif
static_assert(std::is_same_v<std::iterator_traits<nomyo::Choices::iterator>::iterator_category, std::input_iterator_tag>);

template <class T, class = void> constexpr bool gives_choices = false;
template <class T> constexpr bool gives_choices<T, std::void_t<decltype(std::declval<T>().choices())>> = true;
static_assert(gives_choices<nomyo::Response &> && gives_choices<const nomyo::Response &>);
static_assert(!gives_choices<nomyo::Response>, "the choices of a temporary would dangle");

static void a_loop_visits_every_choice(const nomyo::Response &answer) {
    std::size_t visited = 0;
    for (auto choice : answer.choices()) {
        CHECK(choice.index() == visited++ && choice.content() == "each" && choice.finish_reason() == "stop");
        CHECK(choice.reasoning() == "hm" && !choice.tool_calls());
    }
    CHECK(visited == 5 && answer.choices().size() == 5 && !answer.choices().empty());
    CHECK(!answer.choices()[5].content());
}

static void iterators_have_random_access(const nomyo::Response &answer) {
    const nomyo::Choices choices = answer.choices();
    const auto first = choices.begin(), last = choices.end();
    CHECK(last - first == 5 && first + 5 == last && 5 + first == last && last - 5 == first);
    CHECK(first < last && last > first && first <= first && last >= last && first != last);
    CHECK(first[3].index() == 3 && (first + 3)->index() == 3 && first->content() == "each");
    auto at = first;
    CHECK((at++)->index() == 0 && (++at)->index() == 2 && (at--)->index() == 2 && (--at)->index() == 0);
    at += 4;
    at -= 1;
    CHECK(at->index() == 3 && at - first == 3);
    CHECK(nomyo::Choices::iterator() == nomyo::Choices::iterator());
}

static void algorithms_take_the_choices(const nomyo::Response &answer) {
    const nomyo::Choices choices = answer.choices();
    CHECK(std::count_if(choices.begin(), choices.end(), [](nomyo::Choice c) { return c.index() % 2 == 0; }) == 3);
    const std::vector<nomyo::Choice> copied(choices.begin(), choices.end());
    CHECK(copied.size() == 5 && copied.back().index() == 4);
#if __cplusplus >= 202002L
    const auto found = std::ranges::find(answer.choices(), std::size_t{2}, &nomyo::Choice::index); // borrowed: not dangling
    CHECK(found->index() == 2 && found->content() == "each");
#if !defined(__clang__) || __clang_major__ >= 16 // older versions cannot read the views of libstdc++
    std::vector<std::size_t> late;
    for (const std::size_t index : answer.choices() | std::views::drop(3) | std::views::transform(&nomyo::Choice::index))
        late.push_back(index);
    CHECK((late == std::vector<std::size_t>{3, 4}));
#endif
#endif
}

static void choices_stay_when_the_answer_moves(nomyo::Response answer) {
    const nomyo::Choice choice = answer.choices()[4];
    const std::string_view before = choice.content().value_or("");
    const nomyo::Response moved(std::move(answer));
    CHECK(choice.content() == "each" && choice.content()->data() == before.data());
    CHECK(throws<nomyo::ArgumentError>([&] { (void)answer.choices(); }));
}

int main() try {
    const nomyo::Client client(config());
    nomyo::Response answer = client.create(chat("each", R"(,"n":5,"nomyo_test":{"reasoning":"hm"})"));
    a_loop_visits_every_choice(answer);
    iterators_have_random_access(answer);
    algorithms_take_the_choices(answer);
    choices_stay_when_the_answer_moves(std::move(answer));
    return tally("choices");
} catch (const std::exception &e) {
    std::cerr << "choices: " << e.what() << '\n';
    return 1;
}
