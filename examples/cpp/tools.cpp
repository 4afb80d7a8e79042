// Lets the model call a function of this program: the model asks for the document on standard input, and answers.
//
//     NOMYO_API_KEY=... tools [--url URL] [--ca FILE] < document

#include <nomyo.hpp>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

using Json = nlohmann::json;

// The functions on offer, in OpenAI's form.
static const char tools[] = R"([{"type": "function", "function": {
    "name": "read_document",
    "description": "The text that the user is looking at",
    "parameters": {"type": "object", "properties": {}}
}}])";

// The result of a call: a text, which may also tell the model that the call is wrong. Do not trust `arguments` (a JSON object,
// as a string): the model wrote them.
static std::string result(const Json &call, const std::string &document) {
    const std::string name = call.at("function").at("name");
    if (name != "read_document") return "there is no function " + name;
    return document;
}

// Answers the model's calls until there are no more.
static std::string converse(const nomyo::Client &client, const std::string &question,
                            const std::string &document) {
    Json request = {{"model", "Qwen/Qwen3-0.6B"}, {"tools", Json::parse(tools)}};
    Json &messages = request["messages"] = Json::array({{{"role", "user"}, {"content", question}}});
    for (int turn = 0; turn < 5; ++turn) {
        const nomyo::Response answer = client.create(request.dump());
        if (answer.choices().empty()) throw std::runtime_error("the answer has no choice");
        if (!answer.tool_calls()) return std::string(answer.content().value_or(""));
        messages.push_back(Json::parse(*answer.pointer("/choices/0/message")));
        for (const Json &call : Json::parse(*answer.tool_calls()))
            messages.push_back({{"role", "tool"}, {"tool_call_id", call.at("id")}, {"content", result(call, document)}});
    }
    throw std::runtime_error("the model calls functions without end");
}

int main(int argc, char **argv) try {
    nomyo::Config config;
    config.load_env();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (argv[i] == std::string("--url")) config.base_url(argv[i + 1]);
        if (argv[i] == std::string("--ca")) config.ca_file(argv[i + 1]);
    }
    const std::string document{std::istreambuf_iterator<char>(std::cin), {}};
    if (std::ferror(stdin)) throw std::runtime_error("the document cannot be read");
    const nomyo::Client client(config);
    std::cout << converse(client, "What is the document about?", document) << '\n';
    return 0;
} catch (const std::exception &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 1;
}
