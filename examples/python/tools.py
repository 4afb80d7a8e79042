"""Lets the model call a function, sends the result back, and prints what it makes of it.

Usage: NOMYO_API_KEY=... python tools.py [--url URL] [--ca FILE] [--model NAME] CITY
"""

import argparse
import json
import sys

from nomyo_native import Client, NomyoError


def get_weather(city: str = "Paris") -> str:
    return f"{city}: sun, 21 degrees"


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "What the weather in a city is",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
FUNCTIONS = {"get_weather": get_weather}


def main() -> int:
    parser = argparse.ArgumentParser(description="A question that takes a function to answer.")
    parser.add_argument("--url", help="the server; default: NOMYO_BASE_URL, else NOMYO's")
    parser.add_argument("--ca", help="PEM file of the certificate authorities to believe")
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B")
    parser.add_argument("city")
    options = parser.parse_args()

    messages = [{"role": "user", "content": f"What is the weather in {options.city}?"}]
    try:
        with Client(options.url, ca_file=options.ca) as client:
            for _ in range(5):  # a model that calls for ever is stopped
                with client.create(model=options.model, messages=messages, tools=TOOLS) as answer:
                    message = answer["choices"][0]["message"]
                if not message.get("tool_calls"):
                    print(message["content"])
                    return 0
                messages.append(message)
                for call in message["tool_calls"]:
                    arguments = json.loads(call["function"]["arguments"])
                    result = FUNCTIONS[call["function"]["name"]](**arguments)
                    messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
            print("tools: the model did not come to an answer", file=sys.stderr)
    except NomyoError as e:
        print(f"tools: {e.status_name}: {e}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
