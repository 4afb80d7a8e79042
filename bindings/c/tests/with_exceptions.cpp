// Compiled with exceptions and linked with no_exceptions.cpp: both see the same server, each in its own way.

#include "check.hpp"

std::string echoed_with_exceptions(const std::string &text);
bool catches_an_argument_error();

std::string echoed_with_exceptions(const std::string &text) {
    const nomyo::Response answer = nomyo::Client(config()).create(chat(text));
    return std::string(answer.content().value_or(""));
}

bool catches_an_argument_error() {
    return throws<nomyo::ArgumentError>([] { nomyo::Config().add_server_key_pin("no pin"); });
}
