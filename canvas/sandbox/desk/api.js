// Calls to the desk's own server, which signs and forwards to the running app.

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(`The sandbox answered ${answer.status} to ${path}.`);
  return answer.json();
}

export const api = {
  started: async () => (await call("GET", "/api/started")).started,
  people: () => call("GET", "/api/people"),
  initialize: (person) => call("POST", `/api/intercom/${person}/initialize`),
  submit: (person, click) => call("POST", `/api/intercom/${person}/submit`, click),
  hubspotRecord: (person) => call("GET", `/api/hubspot/record/${person}`),
  log: (newest, checks) => call("GET", `/api/octopods/log?newest=${newest}&checks=${checks ? 1 : 0}`),
  faults: () => call("GET", "/api/octopods/faults"),
  setFault: (fault) => call("PUT", "/api/octopods/fault", fault),
  cure: (person) => call("POST", `/api/octopods/cure/${person}`),
};
