# A Node programmer. npm chooses the package with the addon for this machine; no compiler is there, and no script runs.
# Root: SUITE-node
# Answer: Hello from Node
! command -v cc
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || { echo "not run: Node $(node --version) is older than 18" && exit; }
npm install --silent nomyo-native
cat >program.mjs <<'PROGRAM'
import { SecureChatCompletion } from 'nomyo-native';

const chat = new SecureChatCompletion({ baseUrl: process.env.NOMYO_BASE_URL, apiKey: process.env.NOMYO_API_KEY });
const messages = [{ role: 'user', content: 'Hello from Node' }];
const completion = await chat.create({ model: 'Qwen/Qwen3-0.6B', messages });
console.log(completion.choices[0].message.content);
chat.dispose();
PROGRAM
node program.mjs
