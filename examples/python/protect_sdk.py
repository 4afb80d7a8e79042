"""A program for the official SDK, whose memory protection is made real in one line.

Usage: NOMYO_API_KEY=... python protect_sdk.py [URL]
"""

import asyncio
import os
import sys

from nomyo import APIConnectionError, APIError, SecureChatCompletion, SecurityError, get_memory_protection_info

from nomyo_native import protect_sdk


async def main() -> int:
    client = SecureChatCompletion(
        base_url=sys.argv[1] if len(sys.argv) > 1 else "https://api.nomyo.ai", api_key=os.environ["NOMYO_API_KEY"]
    )
    try:
        response = await client.create(
            model="Qwen/Qwen3-0.6B", messages=[{"role": "user", "content": "What is the capital of France?"}]
        )
    except (APIError, APIConnectionError, SecurityError) as e:
        print(f"protect_sdk: {e}", file=sys.stderr)
        return 1
    print(response["choices"][0]["message"]["content"])
    return 0


if __name__ == "__main__":
    with protect_sdk():
        print("memory protection:", get_memory_protection_info()["protection_level"], file=sys.stderr)
        sys.exit(asyncio.run(main()))
