// @sqlite.org/sqlite-wasm, as its documentation opens a file's bytes: deserialised into memory of SQLite's own.
import './memory.js';
import './serve.js';
import sqlite3InitModule from './node_modules/@sqlite.org/sqlite-wasm/dist/index.mjs';

const ready = sqlite3InitModule();
serve(ready, (sqlite3, bytes) => {
  const { capi, wasm, oo1 } = sqlite3;
  const at = wasm.allocFromTypedArray(bytes);
  const database = new oo1.DB();
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_READONLY;
  database.checkRc(capi.sqlite3_deserialize(database.pointer, 'main', at, bytes.length, bytes.length, flags));
  return (sql) => database.exec({ sql, rowMode: 'array', returnValue: 'resultRows' });
});
