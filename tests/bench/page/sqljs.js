// sql.js, as its documentation opens a file.
'use strict';
importScripts('memory.js', 'serve.js', 'node_modules/sql.js/dist/sql-wasm.js');
const ready = initSqlJs({ locateFile: (name) => `node_modules/sql.js/dist/${name}` });
serve(ready, (SQL, bytes) => {
  const database = new SQL.Database(bytes);
  return (sql) => database.exec(sql)[0]?.values ?? [];
});
