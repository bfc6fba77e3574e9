// Runs every audit of graphql-http against AUDIT_URL as the owner of AUDIT_TOKEN; prints one JSON line for each.
import { serverAudits } from "graphql-http";

const authorization = `Bearer ${process.env.AUDIT_TOKEN}`;
const fetchFn = (url, options = {}) => fetch(url, { ...options, headers: { ...options.headers, authorization } });

for (const audit of serverAudits({ url: process.env.AUDIT_URL, fetchFn })) {
  const result = await audit.fn();
  const told = { id: audit.id, name: audit.name, status: result.status };
  if (result.status !== "ok") {
    told.reason = result.reason;
    told.answer = { status: result.response?.status, body: await result.response?.text().catch(() => null) };
  }
  console.log(JSON.stringify(told));
}
