"""A program for the official SDK: only its import names this package instead of `nomyo`.

Usage: NOMYO_API_KEY=... python drop_in.py [URL]
"""

import asyncio
import os
import sys

from nomyo_native import APIConnectionError, APIError, SecureChatCompletion, SecurityError


async def main() -> int:
    client = SecureChatCompletion(
        base_url=sys.argv[1] if len(sys.argv) > 1 else "https://api.nomyo.ai", api_key=os.environ["NOMYO_API_KEY"]
    )
    try:
        response = await client.create(
            model="Qwen/Qwen3-0.6B",
            messages=[{"role": "user", "content": "What is the capital of France?"}],
            security_tier="high",
            temperature=0.7,
        )
    except APIError as e:
        print(f"drop_in: HTTP {e.status_code}: {e.message} {e.error_details}", file=sys.stderr)
    except (APIConnectionError, SecurityError) as e:
        print(f"drop_in: {e}", file=sys.stderr)
    else:
        print(response["choices"][0]["message"]["content"])
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
