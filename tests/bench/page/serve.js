// The worker's side that both peers share: `open` answers a function from SQL to rows.
'use strict';
self.serve = (ready, open) => {
  let query = null;
  const answer = async (data) => {
    await ready;
    if (data.open) query = open(await ready, new Uint8Array(await data.open.arrayBuffer()));
    return data.sql ? query(data.sql) : null;
  };
  self.onmessage = ({ data }) => {
    answer(data).then(
      (answer) => self.postMessage({ number: data.number, answer }),
      (error) => self.postMessage({ number: data.number, error: String(error?.message ?? error) }),
    );
  };
};
