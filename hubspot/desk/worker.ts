import './worker_globals';
import '../src/app/cards/Sidebar';
